// Which layers are asked, in which order, for each documented packet flow. The bind and connect redirect, stream,
// datagram data and ICMP error layers are not built yet; the documentation has them where the comments say.
#include "tests/e2e/world.hpp"

namespace {

using namespace std::chrono_literals;
using test::Talker;
using test::World;
using Layers = std::vector<std::string>;

constexpr std::uint8_t kTcp = 6, kUdp = 17;
constexpr std::string_view kPrefix = "FWPS_LAYER_";
constexpr std::uint32_t kAleClassifyRequired = 0x400000;

class LayerOrder : public ::testing::TestWithParam<bool> {
 protected:
  LayerOrder() { client_.keep_open(), server_.keep_open(); }

  // What was asked since the last call, without prefix and family; neighbour discovery and its like left out.
  Layers asked(std::uint8_t protocol) {
    Layers layers;
    for (const auto& record : world_.trace.records()) {
      if (record.protocol != protocol && record.origin != "icmp.error") continue;
      EXPECT_EQ(record.action, "permit");
      const auto family = record.layer.find(GetParam() ? "_V6" : "_V4");
      EXPECT_NE(family, std::string::npos) << record.layer;
      EXPECT_TRUE(record.layer.starts_with(kPrefix)) << record.layer;
      layers.push_back(std::string{record.layer}.erase(family, 3).erase(0, kPrefix.size()));
    }
    world_.trace.clear();
    return layers;
  }
  stack::UdpSocket open_udp(stack::core::Stack& at, std::uint16_t port) {
    auto result = at.open_udp(World::any(GetParam(), port), world_.owner);
    EXPECT_EQ(result.error, stack::Error::None);
    return std::move(result.socket);
  }
  void send(stack::UdpSocket& from, int to, std::uint16_t port) {
    constexpr std::array<std::byte, 10> kData{};
    EXPECT_EQ(from.send_to(kData, World::address(to, GetParam(), port)), stack::Error::None);
    world_.network.run_for(100ms);
  }
  void say(Talker& talker) {
    constexpr std::array<std::byte, 10> kData{};
    EXPECT_EQ(talker.stream().write(kData).count, kData.size());
    world_.network.run_for(100ms);
  }

  World world_;
  Talker client_{0}, server_{0};
};

const Layers kIn{"INBOUND_IPPACKET", "INBOUND_TRANSPORT"};
const Layers kOut{"OUTBOUND_TRANSPORT", "OUTBOUND_IPPACKET"};

Layers operator+(Layers a, const Layers& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST_P(LayerOrder, TcpPassiveOpen) {
  world_.listen(world_.system->stack(), GetParam(), 80, [&](stack::TcpStream s) { server_.start(std::move(s)); });
  EXPECT_EQ(asked(kTcp), (Layers{"ALE_RESOURCE_ASSIGNMENT", "ALE_AUTH_LISTEN"}));  // before: ALE_BIND_REDIRECT

  world_.connect(*world_.peer, 1, GetParam(), 80, client_);
  world_.network.run_for(100ms);
  for (const auto& record :
       world_.trace.at(GetParam() ? "FWPS_LAYER_INBOUND_TRANSPORT_V6" : "FWPS_LAYER_INBOUND_TRANSPORT_V4"))
    EXPECT_EQ((record.present & kAleClassifyRequired) != 0, record.tcp_flags == 0x02) << "SYNs need ALE";
  EXPECT_EQ(asked(kTcp), kIn + Layers{"ALE_AUTH_RECV_ACCEPT"} + kOut + kIn + Layers{"ALE_FLOW_ESTABLISHED"});

  say(client_);
  EXPECT_EQ(asked(kTcp), kIn + kOut);  // STREAM after the first two; then our acknowledgement
  say(server_);
  EXPECT_EQ(asked(kTcp), kOut + kIn);  // STREAM before them; then the peer's
}

TEST_P(LayerOrder, TcpActiveOpen) {
  world_.listen(*world_.peer, GetParam(), 80, [&](stack::TcpStream s) { server_.start(std::move(s)); });
  world_.connect(world_.system->stack(), 0, GetParam(), 80, client_);
  world_.network.run_for(100ms);
  // ALE_BIND_REDIRECT before the first, ALE_CONNECT_REDIRECT before the second.
  EXPECT_EQ(asked(kTcp), (Layers{"ALE_RESOURCE_ASSIGNMENT", "ALE_AUTH_CONNECT"}) + kOut + kIn +
                             Layers{"ALE_FLOW_ESTABLISHED"} + kOut);
}

TEST_P(LayerOrder, TcpSynWithoutListener) {
  world_.connect(*world_.peer, 1, GetParam(), 4444, client_);
  world_.network.run_for(100ms);
  EXPECT_EQ(asked(kTcp), (Layers{"INBOUND_IPPACKET", "INBOUND_TRANSPORT_DISCARD"}) + kOut);
}

TEST_P(LayerOrder, UdpFirstReceive) {
  auto server = open_udp(world_.system->stack(), 53);
  EXPECT_EQ(asked(kUdp), Layers{"ALE_RESOURCE_ASSIGNMENT"});  // before: ALE_BIND_REDIRECT
  auto client = open_udp(*world_.peer, 5000);
  send(client, 1, 53);
  EXPECT_EQ(asked(kUdp), kIn + (Layers{"ALE_AUTH_RECV_ACCEPT", "ALE_FLOW_ESTABLISHED"}));  // then: DATAGRAM_DATA
  send(client, 1, 53);
  EXPECT_EQ(asked(kUdp), kIn) << "the flow is known";
  send(server, 0, 5000);
  EXPECT_EQ(asked(kUdp), kOut) << "in both directions";
}

TEST_P(LayerOrder, UdpActiveOpen) {
  auto server = open_udp(*world_.peer, 5000);
  auto client = open_udp(world_.system->stack(), 0);
  send(client, 0, 5000);
  EXPECT_EQ(asked(kUdp), (Layers{"ALE_RESOURCE_ASSIGNMENT", "ALE_AUTH_CONNECT", "ALE_FLOW_ESTABLISHED"}) + kOut);
  send(client, 0, 5000);
  EXPECT_EQ(asked(kUdp), kOut);
}

TEST_P(LayerOrder, UdpWithoutSocket) {
  auto client = open_udp(*world_.peer, 5000);
  ASSERT_EQ(client.connect(World::address(1, GetParam(), 54)), stack::Error::None);
  send(client, 1, 54);
  // OUTBOUND_ICMP_ERROR before the last two.
  EXPECT_EQ(asked(kUdp), (Layers{"INBOUND_IPPACKET", "INBOUND_IPPACKET_DISCARD"}) + kOut);
  EXPECT_EQ(client.take_error(), stack::Error::ConnectionRefused);
}

INSTANTIATE_TEST_SUITE_P(Families, LayerOrder, ::testing::Bool(),
                         [](const auto& parameters) { return parameters.param ? "V6" : "V4"; });

}  // namespace
