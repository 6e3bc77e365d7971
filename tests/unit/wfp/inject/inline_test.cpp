// Calls from inside a classify, which only the real engine can make.
#include "tests/support/classifying.hpp"
#include "tests/unit/wfp/inject/fixture.hpp"

namespace wfp::inject {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class InlineTest : public InjectTest {
 protected:
  void SetUp() override {
    InjectTest::SetUp();
    engine = std::make_unique<engine::Engine>(host, scheduler());
  }
  void TearDown() override {
    engine.reset();
    InjectTest::TearDown();
  }
  void classify(std::uint16_t layer, std::uint8_t protocol, std::function<void()> body) {
    Classifying callout(*engine, layer, driver);
    ASSERT_EQ(callout.added, STATUS_SUCCESS);
    engine::ClassifyInput input;
    input.protocol = protocol;
    callout.run(input, [&](std::uint64_t, FWPS_CLASSIFY_OUT0&) { body(); });
  }
  void finish() {
    turn();
    host.finish_all();
    turn();
  }
  std::unique_ptr<engine::Engine> engine;
};
INSTANTIATE_BOTH(InlineTest);

TEST_P(InlineTest, ATransportInjectionInsideATcpClassifyIsNamedButDelivered) {
  classify(FWPS_LAYER_OUTBOUND_TRANSPORT_V4, 6,
           [&] { EXPECT_EQ(inject(InjectPath::TransportSend, make_packet()), STATUS_SUCCESS); });
  EXPECT_THAT(ledger::take_rules(), ElementsAre("LOCK-INLINE-INJECT"));
  finish();
  EXPECT_EQ(completed.size(), 1u);
}

TEST_P(InlineTest, OthersAreAllowedInside) {
  classify(FWPS_LAYER_OUTBOUND_TRANSPORT_V4, 17,
           [&] { EXPECT_EQ(inject(InjectPath::TransportSend, make_packet()), STATUS_SUCCESS); });
  classify(FWPS_LAYER_OUTBOUND_TRANSPORT_V4, 6,
           [&] { EXPECT_EQ(inject(InjectPath::NetworkSend, make_packet()), STATUS_SUCCESS); });
  classify(FWPS_LAYER_INBOUND_IPPACKET_V4, 6,
           [&] { EXPECT_EQ(inject(InjectPath::NetworkReceive, make_packet()), STATUS_SUCCESS); });
  EXPECT_THAT(ledger::take_rules(), IsEmpty());
  finish();
  EXPECT_EQ(completed.size(), 3u);
}

// The host tells of what it finds wrong with a packet in the name of the driver that injected it.
TEST_P(InlineTest, TheHostRunsInTheDriversName) {
  ledger::DriverId seen = ledger::kNoDriver;
  host.on_inject = [&](const InjectRequest&) { seen = ledger::current_driver(); };
  ASSERT_EQ(inject(InjectPath::NetworkSend, make_packet()), STATUS_SUCCESS);
  EXPECT_EQ(ledger::current_driver(), ledger::kNoDriver);
  finish();
  EXPECT_EQ(seen, driver);
}

TEST_P(InlineTest, NothingIsHandedOverOrCompletedInsideAClassify) {
  ASSERT_EQ(inject(InjectPath::NetworkSend, make_packet()), STATUS_SUCCESS);
  classify(FWPS_LAYER_INBOUND_IPPACKET_V4, 17, [&] { EXPECT_EQ(injections->drain(), 0u); });
  EXPECT_EQ(injections->drain(), 1u);
  host.finish_all();
  classify(FWPS_LAYER_INBOUND_IPPACKET_V4, 17, [&] { EXPECT_EQ(injections->run_completions(), 0u); });
  EXPECT_TRUE(completed.empty());
  EXPECT_EQ(injections->run_completions(), 1u);
}

}  // namespace
}  // namespace wfp::inject
