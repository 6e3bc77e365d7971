#include "src/shim/stack_host.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "nt/ntstatus.h"
#include "stack/packet/packet_pool.hpp"
#include "wfp/ndis/clone.hpp"
#include "wfp/ndis/nbl_pool.hpp"
#include "ws2def.h"

namespace shim {
namespace {

struct Injected {
  std::string how;
  stack::Packet packet;
  std::uint64_t endpoint = 0;
  std::string remote;
  int protocol = 0;
  std::uint32_t interface_index = 0;
};

class FakeInjector final : public stack::Injector {
 public:
  void receive(stack::Packet packet, stack::InterfaceIndex interface_index) override {
    injected.push_back(
        {.how = "receive", .packet = std::move(packet), .remote = "", .interface_index = interface_index});
  }
  void send_transport(stack::Packet packet, stack::EndpointId endpoint, const stack::IpAddress& remote,
                      std::uint8_t protocol) override {
    injected.push_back({.how = "transport",
                        .packet = std::move(packet),
                        .endpoint = endpoint.value,
                        .remote = remote.to_string(),
                        .protocol = protocol});
  }
  void send_network(stack::Packet packet) override {
    injected.push_back({.how = "network", .packet = std::move(packet), .remote = ""});
  }
  std::vector<Injected> injected;
};

class FakeControl final : public StackControl {
 public:
  void resume(stack::Ticket ticket) override { resumed.push_back(ticket); }
  void abort_flow(stack::FlowTag flow) override { aborted.push_back(flow); }
  stack::EndpointId control_endpoint() const override { return {1}; }
  std::uint8_t protocol_of(stack::EndpointId endpoint) const override { return endpoint.value == 7 ? 17 : 0; }
  bool has_interface(stack::InterfaceIndex index) const override { return index == 3 || index == 4; }
  void wake() override { ++wakes; }
  std::int64_t now_ns() const override { return 42; }
  std::vector<std::uint64_t> resumed, aborted;
  int wakes = 0;
};

class FakeExecutor final : public stack::Executor {
 public:
  void post(std::function<void()> task) override { tasks.push_back(std::move(task)); }
  bool is_own_thread() const override { return own; }
  std::vector<std::function<void()>> tasks;
  bool own = true;
};

class StackHostTest : public ::testing::Test {
 protected:
  // What a driver injects: a clone of a packet that the stack knows the protocol of.
  NET_BUFFER_LIST* clone_of_tcp() {
    original_ = pool_.allocate(60);
    original_.meta().protocol = 6;
    return wfp::ndis::clone(*original_.nbl(), clones_);
  }
  wfp::InjectRequest request(wfp::InjectPath path, NET_BUFFER_LIST* nbl) {
    wfp::InjectRequest r;
    r.path = path;
    r.nbl = nbl;
    r.address_family = AF_INET;
    r.endpoint = 7;
    r.remote_address[0] = 10;
    r.remote_address[3] = 9;
    r.interface_index = 3;
    return r;
  }
  void TearDown() override {
    injector_.injected.clear();
    original_.reset();
    EXPECT_EQ(pool_.in_use(), 0u);
    EXPECT_EQ(clones_.in_use(), 0u);
  }

  stack::PacketPool pool_{16};
  wfp::ndis::NblPool clones_{16};
  stack::Packet original_;
  FakeInjector injector_;
  FakeControl control_;
  FakeExecutor executor_;
  StackHost host_{injector_, control_, executor_};
};

TEST_F(StackHostTest, TransportSendKnowsTheProtocolFromTheOriginal) {
  auto* clone = clone_of_tcp();
  clone->Status = STATUS_UNSUCCESSFUL;
  wfp::ndis::injection_mark(*clone).hops = 3;
  host_.inject(request(wfp::InjectPath::TransportSend, clone));
  ASSERT_EQ(injector_.injected.size(), 1u);
  const Injected& injected = injector_.injected[0];
  EXPECT_EQ(injected.how, "transport");
  EXPECT_EQ(injected.packet.nbl(), clone);
  EXPECT_EQ(clone->Status, STATUS_SUCCESS);
  EXPECT_EQ(injected.endpoint, 7u);
  EXPECT_EQ(injected.remote, "10.0.0.9");
  EXPECT_EQ(injected.protocol, 6);
  EXPECT_EQ(injected.packet.meta().origin, stack::Origin::Injected);
  EXPECT_EQ(injected.packet.meta().direction, stack::Direction::Outbound);
  EXPECT_EQ(injected.packet.meta().injection_hops, 2);
}

TEST_F(StackHostTest, APacketOfTheDriversOwnTakesTheProtocolOfItsEndpoint) {
  auto r = request(wfp::InjectPath::TransportSend, clones_.allocate(0, 40));
  r.address_family = AF_INET6;
  r.remote_address[0] = 0xfe;
  r.remote_address[1] = 0x80;
  r.remote_address[3] = 0;
  r.remote_address[15] = 1;
  host_.inject(r);
  EXPECT_EQ(injector_.injected[0].protocol, 17);
  EXPECT_EQ(injector_.injected[0].remote, "fe80::1");
}

TEST_F(StackHostTest, ReceivePathsEnterAtTheBottomOnTheGivenInterface) {
  for (const auto path : {wfp::InjectPath::NetworkReceive, wfp::InjectPath::TransportReceive}) {
    host_.inject(request(path, clone_of_tcp()));
    EXPECT_EQ(injector_.injected.back().how, "receive");
    EXPECT_EQ(injector_.injected.back().interface_index, 3u);
    EXPECT_EQ(injector_.injected.back().packet.meta().direction, stack::Direction::Inbound);
    injector_.injected.clear();
  }
}

TEST_F(StackHostTest, NetworkSendNeedsNoEndpoint) {
  host_.inject(request(wfp::InjectPath::NetworkSend, clone_of_tcp()));
  EXPECT_EQ(injector_.injected[0].how, "network");
}

TEST_F(StackHostTest, ChangedLayersAreToldOnTheStacksThread) {
  int told = 0;
  host_.layers_changed();
  executor_.tasks[0]();  // nobody wants to know yet
  host_.set_layers_handler([&] { ++told; });
  host_.layers_changed();
  EXPECT_EQ(told, 0);
  executor_.tasks[1]();
  EXPECT_EQ(told, 1);
}

TEST_F(StackHostTest, TheRestIsPassedOn) {
  host_.resume(5);
  host_.abort_flow(6);
  host_.wake();
  EXPECT_EQ(control_.resumed, std::vector<std::uint64_t>{5});
  EXPECT_EQ(control_.aborted, std::vector<std::uint64_t>{6});
  EXPECT_EQ(control_.wakes, 1);
  EXPECT_EQ(host_.now_ns(), 42);
  EXPECT_TRUE(host_.on_processor_thread());
  executor_.own = false;
  EXPECT_FALSE(host_.on_processor_thread());
}

}  // namespace
}  // namespace shim
