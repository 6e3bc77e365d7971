// Which metadata a classify has, at every layer that is asked, against the documented table. Values and the three packets
// without an endpoint: tests/unit/src/shim, reset_test, time_wait_test.
#include <fstream>
#include <map>
#include <sstream>

#include "tests/e2e/world.hpp"

namespace {

using namespace std::chrono_literals;
using test::Talker;
using test::World;

struct Documented {
  std::uint32_t always = 0, most = 0;  // currentMetadataValues
};

// tests/tables/metadata.csv: layer, bits, bits.
std::map<std::string, Documented> documented() {
  std::map<std::string, Documented> layers;
  std::ifstream file(WFPTAP_TABLES "/metadata.csv");
  for (std::string line; std::getline(file, line);) {
    std::istringstream cells(line);
    std::string layer, always, most;
    std::getline(std::getline(std::getline(cells, layer, ','), always, ','), most, ',');
    if (always.starts_with("0x"))
      layers[layer] = {static_cast<std::uint32_t>(std::stoul(always, nullptr, 16)),
                       static_cast<std::uint32_t>(std::stoul(most, nullptr, 16))};
  }
  return layers;
}

class MetadataOfLayers : public ::testing::TestWithParam<bool> {
 protected:
  MetadataOfLayers() { client_.keep_open(), server_.keep_open(), third_.keep_open(); }

  stack::UdpSocket open_udp(stack::core::Stack& at, std::uint16_t port) {
    auto result = at.open_udp(World::any(GetParam(), port), world_.owner);
    EXPECT_EQ(result.error, stack::Error::None);
    return std::move(result.socket);
  }
  // Connections both ways and one that is refused, datagrams both ways, in fragments and to nobody.
  void talk() {
    auto& system = world_.system->stack();
    world_.listen(system, GetParam(), 80, [&](stack::TcpStream s) { server_.start(std::move(s)); });
    world_.listen(*world_.peer, GetParam(), 81, [](stack::TcpStream) {});
    world_.connect(*world_.peer, 1, GetParam(), 80, client_);
    world_.connect(system, 0, GetParam(), 81, third_);
    world_.network.run_for(100ms);
    Talker refused{0};
    world_.connect(*world_.peer, 1, GetParam(), 4444, refused);
    auto socket = open_udp(system, 53), peer = open_udp(*world_.peer, 5000);
    const std::vector<std::byte> text(10), large(4'000);
    EXPECT_EQ(peer.send_to(large, World::address(1, GetParam(), 53)), stack::Error::None);
    EXPECT_EQ(peer.send_to(text, World::address(1, GetParam(), 54)), stack::Error::None);
    EXPECT_EQ(socket.send_to(large, World::address(0, GetParam(), 5000)), stack::Error::None);
    EXPECT_EQ(client_.stream().write(text).count, text.size());
    world_.network.run_for(100ms);
  }

  World world_;
  Talker client_{0}, server_{0}, third_{0};
};

TEST_P(MetadataOfLayers, AreTheDocumentedOnes) {
  const auto layers = documented();
  ASSERT_GT(layers.size(), 50u);
  talk();
  std::map<std::string, std::size_t> seen;
  for (const auto& record : world_.trace.records()) {
    ASSERT_TRUE(layers.contains(record.layer)) << record.layer;
    const auto [always, most] = layers.at(record.layer);
    ++seen[record.layer];
    EXPECT_EQ(record.present & always, always) << record.layer << " " << std::hex << record.present;
    EXPECT_EQ(record.present & ~most, 0u) << record.layer << " " << std::hex << record.present;
  }
  const std::string prefix = "FWPS_LAYER_", family = GetParam() ? "_V6" : "_V4";
  for (const char* layer :
       {"INBOUND_IPPACKET", "OUTBOUND_IPPACKET", "INBOUND_TRANSPORT", "OUTBOUND_TRANSPORT", "ALE_RESOURCE_ASSIGNMENT",
        "ALE_AUTH_LISTEN", "ALE_AUTH_CONNECT", "ALE_AUTH_RECV_ACCEPT", "ALE_FLOW_ESTABLISHED"})
    EXPECT_GT(seen[prefix + layer + family], 0u) << layer;
  EXPECT_GT(seen[prefix + "INBOUND_TRANSPORT" + family + "_DISCARD"], 0u);
  EXPECT_GT(seen[prefix + "INBOUND_IPPACKET" + family + "_DISCARD"], 0u);
}

INSTANTIATE_TEST_SUITE_P(Families, MetadataOfLayers, ::testing::Bool(),
                         [](const auto& parameters) { return parameters.param ? "V6" : "V4"; });

}  // namespace
