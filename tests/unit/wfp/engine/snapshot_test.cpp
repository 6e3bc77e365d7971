// Which filters match, when a replaced version is gone, and the waterfall of the stream layers.
#include "wfp/engine/snapshot.hpp"

#include <thread>

#include "engine_fixture.hpp"
#include "wfp/engine/epoch.hpp"

namespace wfp::engine {
namespace {

using testing::ElementsAre;

// --- conditions ---

model::Condition equals(std::uint16_t field, std::uint8_t number) {
  model::Condition out;
  out.field = field;
  out.value.type = out.value.low.type = FWP_UINT8;
  out.value.low.number = number;
  return out;
}

bool match(const std::vector<model::Condition>& conditions, std::uint8_t first, std::uint8_t second) {
  std::array<FWPS_INCOMING_VALUE0, 2> fields{};
  for (auto& field : fields) field.value.type = FWP_UINT8;
  fields[0].value.uint8 = first;
  fields[1].value.uint8 = second;
  return matches(conditions, FWPS_INCOMING_VALUES0{kLayer, 2, fields.data()});
}

TEST(Matches, FieldsMustAllHold) {  // row 13
  EXPECT_TRUE(match({}, 1, 2));     // row 20
  EXPECT_TRUE(match({equals(0, 1), equals(1, 2)}, 1, 2));
  EXPECT_FALSE(match({equals(0, 1), equals(1, 2)}, 1, 3));
  EXPECT_FALSE(match({equals(0, 1), equals(1, 2)}, 3, 2));
}

TEST(Matches, ConditionsOnOneFieldInARowAreAlternatives) {  // row 14
  const std::vector alternatives{equals(0, 1), equals(0, 2), equals(0, 3), equals(1, 9)};
  for (std::uint8_t value = 1; value <= 3; ++value) EXPECT_TRUE(match(alternatives, value, 9)) << int{value};
  EXPECT_FALSE(match(alternatives, 4, 9));
  EXPECT_FALSE(match(alternatives, 1, 8));
  EXPECT_FALSE(match({equals(0, 1), equals(1, 9), equals(0, 2)}, 1, 9)) << "not in a row: both must hold";
}

TEST(Matches, AFieldThatIsNotThereDoesNot) { EXPECT_FALSE(match({equals(2, 0)}, 0, 0)); }

// --- epochs ---

TEST(Epoch, AVersionIsInUseUntilItsReadersHaveLeft) {
  EXPECT_TRUE(epoch::is_quiet(epoch::retire()));
  std::uint64_t ticket = 0;
  {
    const epoch::Guard guard;
    EXPECT_TRUE(epoch::is_reading());
    ticket = epoch::retire();
    EXPECT_FALSE(epoch::is_quiet(ticket));
    { const epoch::Guard inner; }
    EXPECT_FALSE(epoch::is_quiet(ticket)) << "the outermost counts";
  }
  EXPECT_FALSE(epoch::is_reading());
  EXPECT_TRUE(epoch::is_quiet(ticket));
}

TEST(Epoch, WhoComesAfterTheRetirementDoesNotHoldIt) {
  const std::uint64_t ticket = epoch::retire();
  const epoch::Guard guard;
  EXPECT_TRUE(epoch::is_quiet(ticket));
}

TEST(Epoch, AReaderOnAnotherThreadHoldsIt) {
  std::atomic<bool> is_inside{false}, may_leave{false};
  std::thread reader([&] {
    const epoch::Guard guard;
    is_inside = true;
    while (!may_leave) std::this_thread::yield();
  });
  while (!is_inside) std::this_thread::yield();
  const std::uint64_t ticket = epoch::retire();
  EXPECT_FALSE(epoch::is_quiet(ticket));
  may_leave = true;
  reader.join();
  EXPECT_TRUE(epoch::is_quiet(ticket));
}

// --- stream layers ---

class StreamWaterfall : public EngineTest {
 protected:
  static constexpr std::uint16_t kStream = FWPS_LAYER_STREAM_V4;

  // Two callouts in sublayers of their own, the first heavier.
  void with_two(ClassifyBody first) {
    classify_bodies[0] = std::move(first);
    classify_bodies[1] = [this](const auto&, auto, auto& out) {
      ++second_asked;
      out.actionType = FWP_ACTION_PERMIT;
    };
    register_callout<0>(1);
    register_callout<1>(2);
    for (const std::uint32_t number : {1u, 2u}) {
      ASSERT_EQ(add_callout(number, session, kStream), STATUS_SUCCESS);
      add_sublayer(10 + number, static_cast<std::uint16_t>(0x9000 - number));
      auto one = filter(FWP_ACTION_CALLOUT_UNKNOWN, 10 + number, number);
      one.layer = kStream;
      add(one);
    }
  }
  ClassifyResult classify_stream() {
    std::array<FWPS_INCOMING_VALUE0, 16> fields{};
    FWPS_INCOMING_VALUES0 values{kStream, static_cast<UINT32>(fields.size()), fields.data()};
    FWPS_INCOMING_METADATA_VALUES0 metadata{};
    ClassifyInput input;
    input.values = &values;
    input.metadata = &metadata;
    input.layer_data = &io;
    return engine->classify(input);
  }
  FWPS_STREAM_CALLOUT_IO_PACKET0 io{};
  int second_asked = 0;
};

TEST_F(StreamWaterfall, TheNextOneSeesWhatThisOnePermitted) {  // row 44
  with_two([](const auto&, auto, auto& out) { out.actionType = FWP_ACTION_PERMIT; });
  EXPECT_EQ(classify_stream().verdict, Verdict::Permit);
  EXPECT_EQ(second_asked, 1);
}

TEST_F(StreamWaterfall, ABlockEndsIt) {  // row 44
  with_two([](const auto&, auto, auto& out) { out.actionType = FWP_ACTION_BLOCK; });
  EXPECT_EQ(classify_stream().verdict, Verdict::Block);
  EXPECT_EQ(second_asked, 0);
}

TEST_F(StreamWaterfall, AStreamActionMakesTheActionMoot) {  // row 45
  with_two([this](const auto&, auto, auto& out) {
    io.streamAction = FWPS_STREAM_ACTION_NEED_MORE_DATA;
    out.actionType = FWP_ACTION_BLOCK;
  });
  const auto result = classify_stream();
  EXPECT_EQ(result.action, FWP_ACTION_TYPE{FWP_ACTION_NONE});
  EXPECT_EQ(result.verdict, Verdict::Permit);
  EXPECT_EQ(second_asked, 0);
  EXPECT_THAT(ledger::take_rules(), testing::IsEmpty());
}

}  // namespace
}  // namespace wfp::engine
