// What a record of the trace says besides the verdict: whom it was asked of, and whether the packet was injected.
#include "shim_fixture.hpp"

namespace shim {
namespace {

class Callouts final : public TraceSink {
 public:
  void classified(const TraceRecord& record) override {
    states.emplace_back(record.injection_state);
    for (const CalloutCall& call : record.callouts) {
      EXPECT_NE(call.filter_id, 0u);
      asked.push_back(std::to_string(call.callout_id) + " " + std::string(call.action));
    }
  }
  std::vector<std::string> asked, states;
};

class TraceTest : public ShimTest {
 protected:
  void SetUp() override {
    ShimTest::SetUp();
    start();
    shim_->set_trace(&trace_);
  }
  void TearDown() override {
    shim_->set_trace(nullptr);
    ShimTest::TearDown();
  }
  std::string state_of(stack::Packet packet) {
    (void)hooks_.inspect(std::move(packet), context(Hook::TransportOut));
    return trace_.states.back();
  }
  Callouts trace_;
};

TEST_F(TraceTest, NamesTheCalloutsThatWereAskedWithTheirAnswers) {
  filter_at(FWPS_LAYER_OUTBOUND_TRANSPORT_V4);
  const auto name = std::to_string(callouts_[0]);
  EXPECT_TRUE(inspect(context(Hook::TransportOut)).has_value());
  answers[FWPS_LAYER_OUTBOUND_TRANSPORT_V4] = {FWP_ACTION_BLOCK, false, false};
  EXPECT_FALSE(inspect(context(Hook::TransportOut)).has_value());
  EXPECT_THAT(trace_.asked, ElementsAre(name + " permit", name + " block"));
}

TEST_F(TraceTest, OutsideAClassifyThereIsNoFaultToTrace) {
  Classifier::trace_fault();
  EXPECT_TRUE(trace_.states.empty());
}

// As FwpsQueryPacketInjectionState0 tells the handle's owner.
TEST_F(TraceTest, TellsAnInjectedPacketFromACloneOfOne) {
  auto original = packet();
  EXPECT_EQ(state_of(packet()), "none");
  wfp::ndis::injection_mark(*original.nbl()).handle = 5;
  wfp::ndis::NblPool clones(8);
  auto twice = stack::Packet::take(wfp::ndis::clone(*original.nbl(), clones));
  auto once = stack::Packet::take(wfp::ndis::clone(*original.nbl(), clones));
  wfp::ndis::injection_mark(*once.nbl()) = {};
  EXPECT_EQ(state_of(std::move(twice)), "injected") << "the clone bears the mark itself";
  EXPECT_EQ(state_of(std::move(once)), "inherited") << "only what it was cloned from does";
  EXPECT_EQ(state_of(std::move(original)), "injected");
}

}  // namespace
}  // namespace shim
