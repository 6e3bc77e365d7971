// What a packet injected as received is accused of: interface and alignment, each from the facts of its original.
#include "src/shim/injection_checks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/packet/packet_pool.hpp"
#include "tests/unit/wfp/take_rules.hpp"
#include "wfp/ledger/violation.hpp"
#include "wfp/ndis/clone.hpp"
#include "wfp/ndis/nbl_pool.hpp"

namespace shim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class TwoInterfaces final : public StackControl {
 public:
  void resume(stack::Ticket) override {}
  void abort_flow(stack::FlowTag) override {}
  stack::EndpointId control_endpoint() const override { return {}; }
  std::uint8_t protocol_of(stack::EndpointId) const override { return 0; }
  bool has_interface(stack::InterfaceIndex index) const override { return index == 3 || index == 4; }
  void wake() override {}
  std::int64_t now_ns() const override { return 0; }
};

class InjectionChecks : public testing::Test {
 protected:
  InjectionChecks() {
    wfp::ledger::reset();
    wfp::ledger::set_level(wfp::ledger::Level::standard);
  }
  ~InjectionChecks() override { wfp::ledger::reset(); }

  // The rules that a clone breaks whose original had these facts, its data `offset` bytes past an aligned address.
  std::vector<std::string> rules(stack::Direction direction, stack::InterfaceIndex came_in, std::size_t offset,
                                 std::uint32_t injected_on) {
    stack::Packet original = pool_.allocate(64);
    original.meta().direction = direction;
    original.meta().interface_index = came_in;
    const auto at = reinterpret_cast<std::uintptr_t>(original.head(1).data());
    original.pull((8 - at % 8) % 8 + offset);
    const stack::Packet clone = stack::Packet::take(wfp::ndis::clone(*original.nbl(), clones_));
    return check(clone, injected_on);
  }
  std::vector<std::string> check(const stack::Packet& packet, std::uint32_t interface_index) {
    wfp::InjectRequest request;
    request.nbl = packet.nbl();
    request.interface_index = interface_index;
    check_received(packet, request, control_);
    return wfp::ledger::take_rules();
  }

  stack::PacketPool pool_{4};
  wfp::ndis::NblPool clones_{4};
  TwoInterfaces control_;
};

TEST_F(InjectionChecks, AReceivedPacketBelongsWhereItCameIn) {
  EXPECT_THAT(rules(stack::Direction::Inbound, 3, 0, 3), IsEmpty());
  EXPECT_THAT(rules(stack::Direction::Inbound, 3, 0, 4), ElementsAre("INJ-WRONG-INTERFACE"));
  EXPECT_THAT(rules(stack::Direction::Inbound, 3, 0, 5), ElementsAre("INJ-WRONG-INTERFACE"));
  EXPECT_THAT(rules(stack::Direction::Inbound, 3, 0, 0), ElementsAre("INJ-WRONG-INTERFACE"));
}

TEST_F(InjectionChecks, ASentPacketMayArriveAnywhere) {
  EXPECT_THAT(rules(stack::Direction::Outbound, 3, 0, 4), IsEmpty());
  EXPECT_THAT(rules(stack::Direction::Outbound, 3, 0, 9), ElementsAre("INJ-WRONG-INTERFACE"));
}

TEST_F(InjectionChecks, OnlyWhatWasReceivedMayLieAnywhere) {
  EXPECT_THAT(rules(stack::Direction::Inbound, 3, 2, 3), IsEmpty());
  EXPECT_THAT(rules(stack::Direction::Outbound, 3, 2, 3), ElementsAre("INJ-UNALIGNED-HEADER"));
  EXPECT_THAT(rules(stack::Direction::Outbound, 3, 4, 3), ElementsAre("INJ-UNALIGNED-HEADER"));
  stack::Packet own = pool_.allocate(64);  // a driver's, that is no clone
  const auto at = reinterpret_cast<std::uintptr_t>(own.head(1).data());
  own.pull((8 - at % 8) % 8);
  EXPECT_THAT(check(own, 3), IsEmpty());
  own.pull(1);
  EXPECT_THAT(check(own, 3), ElementsAre("INJ-UNALIGNED-HEADER"));
}

}  // namespace
}  // namespace shim
