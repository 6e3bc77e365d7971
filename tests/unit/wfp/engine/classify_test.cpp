// Callouts: how they are called, kept while in use, told of their filters, and watched.
#include <chrono>
#include <thread>

#include "engine_fixture.hpp"
#include "wfp/ledger/rules.hpp"
#include "wfp/ndis/nbl.hpp"
#include "wfp/ndis/nbl_pool.hpp"
#include "wfp/ndis/offsets.hpp"

namespace wfp::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ClassifyTest : public EngineTest {
 protected:
  std::uint32_t with_callout(FWP_ACTION_TYPE action, ClassifyBody body, std::uint32_t flags = 0) {
    classify_bodies[0] = std::move(body);
    const auto id = register_callout<0>(1, flags);
    EXPECT_EQ(add_callout(1, session), STATUS_SUCCESS);
    filter_id = add(filter(action, 0, 1));
    return id;
  }
  std::uint64_t filter_id = 0;
};

TEST_F(ClassifyTest, NoFilterPermits) {
  EXPECT_FALSE(engine->armed(kLayer));
  const auto result = classify();
  EXPECT_EQ(result.verdict, Verdict::Permit);
  EXPECT_FALSE(result.matched);
  EXPECT_EQ(engine->counts(kLayer).classified, 1u);
}

TEST_F(ClassifyTest, CalloutDecidesAtTheLayersLevelInItsDriversName) {
  const auto id = with_callout(FWP_ACTION_CALLOUT_TERMINATING, [&](const auto& shown, auto, auto& out) {
    EXPECT_EQ(KeGetCurrentIrql(), DISPATCH_LEVEL);
    EXPECT_EQ(ledger::current_driver(), driver);
    EXPECT_EQ(shown.filterId, filter_id);
    ASSERT_NE(current_classify(), nullptr);
    EXPECT_EQ(current_classify()->filter_id, filter_id);
    EXPECT_EQ(out.rights, FWPS_RIGHT_ACTION_WRITE);
    out.actionType = FWP_ACTION_BLOCK;
    out.flags |= FWPS_CLASSIFY_OUT_FLAG_ABSORB;
    out.rights &= ~static_cast<UINT32>(FWPS_RIGHT_ACTION_WRITE);
  });
  const auto result = classify();
  EXPECT_EQ(result.verdict, Verdict::Block);
  EXPECT_TRUE(result.absorb);
  EXPECT_TRUE(result.is_hard);
  EXPECT_EQ(result.callout_id, id);
  EXPECT_EQ(current_classify(), nullptr);
  EXPECT_EQ(engine->counts(kLayer).absorbed, 1u);
  EXPECT_EQ(engine->filter_reports().at(0).hits, 1u);
}

TEST_F(ClassifyTest, ConditionalOnFlowSleepsWithoutContext) {
  with_callout(
      FWP_ACTION_CALLOUT_TERMINATING, [](const auto&, auto, auto& out) { out.actionType = FWP_ACTION_BLOCK; },
      FWP_CALLOUT_FLAG_CONDITIONAL_ON_FLOW);
  EXPECT_EQ(classify().callouts_run, 0u);
}

TEST_F(ClassifyTest, UnregisteredTerminatingCalloutBlocks) {
  const auto id = with_callout(FWP_ACTION_CALLOUT_TERMINATING, nullptr);
  EXPECT_EQ(engine->callouts().remove(id), STATUS_SUCCESS);
  EXPECT_EQ(engine->callouts().remove(id), STATUS_FWP_CALLOUT_NOT_FOUND);
  EXPECT_EQ(classify().verdict, Verdict::Block);
}

TEST_F(ClassifyTest, RemovingWaitsForTheClassifyThatRuns) {
  std::atomic<bool> is_inside{false}, may_leave{false}, has_left{false};
  const auto id = with_callout(FWP_ACTION_CALLOUT_UNKNOWN, [&](const auto&, auto, auto&) {
    is_inside = true;
    while (!may_leave) std::this_thread::yield();
    has_left = true;
  });
  std::thread packets([&] { classify(); });
  while (!is_inside) std::this_thread::yield();
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    may_leave = true;
  });
  EXPECT_EQ(engine->callouts().remove(id), STATUS_SUCCESS);
  EXPECT_TRUE(has_left);
  packets.join();
  later.join();
}

TEST_F(ClassifyTest, NoticesComeAndGo) {
  std::vector<int> types;
  notify_bodies[0] = [&](FWPS_CALLOUT_NOTIFY_TYPE type, FWPS_FILTER3& shown) {
    types.push_back(type);
    shown.context = 42;
    return STATUS_SUCCESS;
  };
  std::uint64_t seen = 0;
  with_callout(FWP_ACTION_CALLOUT_UNKNOWN, [&](const auto& shown, auto, auto&) { seen = shown.context; });
  classify();
  EXPECT_EQ(seen, 42u);
  EXPECT_EQ(management().remove_filter(session, filter_id), STATUS_SUCCESS);
  EXPECT_THAT(types, ElementsAre(FWPS_CALLOUT_NOTIFY_ADD_FILTER, FWPS_CALLOUT_NOTIFY_DELETE_FILTER));
}

TEST_F(ClassifyTest, TheNoticeAfterTheCommitComesWhereItWasAskedFor) {
  std::vector<int> types;
  notify_bodies[0] = [&](FWPS_CALLOUT_NOTIFY_TYPE type, FWPS_FILTER3&) {
    types.push_back(type);
    return STATUS_SUCCESS;
  };
  with_callout(FWP_ACTION_CALLOUT_UNKNOWN, nullptr, FWP_CALLOUT_FLAG_ENABLE_COMMIT_ADD_NOTIFY);
  EXPECT_THAT(types, ElementsAre(FWPS_CALLOUT_NOTIFY_ADD_FILTER, FWPS_CALLOUT_NOTIFY_ADD_FILTER_POST_COMMIT));
}

// Documented (processing notify callouts): a callout that is registered after filters which name it is not told of them.
TEST_F(ClassifyTest, RegisteringLateIsNotToldOfOldFiltersButOfTheirEnd) {
  std::vector<std::pair<int, UINT64>> told;
  notify_bodies[0] = [&](FWPS_CALLOUT_NOTIFY_TYPE type, FWPS_FILTER3& shown) {
    told.emplace_back(type, shown.filterId);
    shown.context = 42;
    return STATUS_SUCCESS;
  };
  ASSERT_EQ(add_callout(1, session), STATUS_SUCCESS);
  const auto old = add(filter(FWP_ACTION_CALLOUT_UNKNOWN, 0, 1));
  ASSERT_EQ(management().begin(session, false), STATUS_SUCCESS);
  register_callout<0>(1);
  ASSERT_EQ(management().commit(session), STATUS_SUCCESS);
  EXPECT_THAT(told, IsEmpty());
  UINT64 context = 99;
  classify_bodies[0] = [&](const auto& shown, auto, auto& out) {
    context = shown.context;
    out.actionType = FWP_ACTION_PERMIT;
  };
  classify();
  EXPECT_EQ(context, 0u) << "it is called for the old filter, which has no context";
  const auto young = add(filter(FWP_ACTION_CALLOUT_UNKNOWN, 0, 1));
  EXPECT_EQ(management().remove_filter(session, old), STATUS_SUCCESS);
  EXPECT_THAT(told, ElementsAre(std::pair<int, UINT64>(FWPS_CALLOUT_NOTIFY_ADD_FILTER, young),
                                std::pair<int, UINT64>(FWPS_CALLOUT_NOTIFY_DELETE_FILTER, old)));
}

TEST_F(ClassifyTest, AFilterOfTheSameTransactionIsYoungerThanTheRegistration) {
  ASSERT_EQ(add_callout(1, session), STATUS_SUCCESS);
  ASSERT_EQ(management().begin(session, false), STATUS_SUCCESS);
  add(filter(FWP_ACTION_CALLOUT_UNKNOWN, 0, 1));
  EXPECT_EQ(management().filters_of_callout(key_of(1)), 0u);
  int told = 0;
  notify_bodies[0] = [&](auto, auto&) { return ++told, STATUS_SUCCESS; };
  register_callout<0>(1);
  ASSERT_EQ(management().commit(session), STATUS_SUCCESS);
  EXPECT_EQ(told, 1);
  EXPECT_EQ(management().filters_of_callout(key_of(1)), 1u);
}

TEST_F(ClassifyTest, RefusedFilterIsNotAdded) {
  notify_bodies[0] = [](auto, auto&) { return STATUS_UNSUCCESSFUL; };
  register_callout<0>(1);
  ASSERT_EQ(add_callout(1, session), STATUS_SUCCESS);
  EXPECT_EQ(management().add(session, filter(FWP_ACTION_CALLOUT_UNKNOWN, 0, 1), nullptr),
            STATUS_FWP_CALLOUT_NOTIFICATION_FAILED);
  EXPECT_TRUE(engine->filter_reports().empty());
}

TEST_F(ClassifyTest, UnbalancedOffsetsArePutBack) {
  ndis::NblPool pool{4};
  NET_BUFFER_LIST* const packet = pool.allocate(64, 100);
  with_callout(FWP_ACTION_CALLOUT_UNKNOWN, [&](const auto&, auto, auto&) { ndis::retreat(*packet, 20); });
  classify(packet);
  EXPECT_EQ(packet->FirstNetBuffer->DataLength, 100u);
  EXPECT_THAT(ledger::take_rules(), ElementsAre(ledger::rule::kOffsets));
  classify_bodies[0] = [&](const auto&, auto, auto&) { ndis::advance(*packet, 20); };
  classify(packet);
  EXPECT_EQ(packet->FirstNetBuffer->DataLength, 100u);
  EXPECT_THAT(ledger::take_rules(), ElementsAre(ledger::rule::kOffsets));
  ndis::release(*packet);
}

TEST_F(ClassifyTest, BreachesAreNamed) {
  with_callout(FWP_ACTION_CALLOUT_TERMINATING,
               [](const auto&, auto, auto& out) { out.actionType = FWP_ACTION_CONTINUE; });
  EXPECT_EQ(classify().verdict, Verdict::Block);
  classify();
  EXPECT_THAT(ledger::take_rules(), ElementsAre(ledger::rule::kTerminating));  // once a filter

  classify_bodies[0] = [](const auto&, auto, auto& out) {
    out.actionType = FWP_ACTION_BLOCK;
    out.flags = FWPS_CLASSIFY_OUT_FLAG_ABSORB;
  };
  classify(nullptr, FWPS_METADATA_FIELD_ALE_CLASSIFY_REQUIRED);
  EXPECT_THAT(ledger::take_rules(), ElementsAre(ledger::rule::kAleSkipped));

  classify_bodies[0] = [](const auto&, auto, auto& out) {
    out.actionType = FWP_ACTION_PERMIT;
    kernel::set_irql(PASSIVE_LEVEL);
  };
  classify();
  EXPECT_THAT(ledger::take_rules(), ElementsAre(ledger::rule::kIrqlLeak));

  KSPIN_LOCK lock{};
  classify_bodies[0] = [&](const auto&, auto, auto& out) {
    out.actionType = FWP_ACTION_PERMIT;
    KeAcquireSpinLockAtDpcLevel(&lock);
  };
  classify();
  KeReleaseSpinLockFromDpcLevel(&lock);
  EXPECT_THAT(ledger::take_rules(), testing::Contains(ledger::rule::kLockHeld));

  add_sublayer(9, 0xffff);
  add(filter(FWP_ACTION_BLOCK, 9));
  classify_bodies[0] = [](const auto&, auto, auto& out) { out.actionType = FWP_ACTION_PERMIT; };
  EXPECT_EQ(classify().verdict, Verdict::Block);
  EXPECT_THAT(ledger::take_rules(), ElementsAre(ledger::rule::kNoRight));
}

// Both are in the same sublayer: the block behind the callout is asked.
TEST_F(ClassifyTest, AnActionThatIsNotSetIsNamedOnceAndContinues) {
  for (const auto left : {0u, 0xcdcdcdcdu}) {
    classify_bodies[0] = [left](const auto&, auto, auto& out) { out.actionType = left; };
    const auto id = register_callout<0>(1);
    if (left == 0) {
      ASSERT_EQ(add_callout(1, session), STATUS_SUCCESS);
    }
    auto heavy = filter(FWP_ACTION_CALLOUT_UNKNOWN, 0, 1);
    heavy.weight.type = FWP_UINT64;
    heavy.weight.number = 1000;
    const auto first = add(heavy);
    const auto behind = add(filter(FWP_ACTION_BLOCK));
    EXPECT_EQ(classify().filter_id, behind);
    classify();
    EXPECT_THAT(ledger::take_rules(), ElementsAre(ledger::rule::kNotSet));
    EXPECT_EQ(management().remove_filter(session, first), STATUS_SUCCESS);
    EXPECT_EQ(management().remove_filter(session, behind), STATUS_SUCCESS);
    EXPECT_EQ(engine->callouts().remove(id), STATUS_SUCCESS);
  }
}

TEST_F(ClassifyTest, AnAbsorbThatIsOverruledIsNamedWithItsCallout) {
  add_sublayer(9, 0x100);
  const auto absorb = [](const auto&, auto, auto& out) {
    out.actionType = FWP_ACTION_BLOCK;
    out.flags |= FWPS_CLASSIFY_OUT_FLAG_ABSORB;
  };
  const auto id = with_callout(FWP_ACTION_CALLOUT_TERMINATING, absorb);
  EXPECT_TRUE(classify().absorb);
  EXPECT_THAT(ledger::take_rules(), IsEmpty());  // soft, and nobody minded
  const auto permit = add(filter(FWP_ACTION_PERMIT, 9));
  EXPECT_EQ(classify().verdict, Verdict::Permit);
  const auto found = ledger::violations();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].rule, ledger::rule::kOverruled);
  EXPECT_EQ(found[0].driver, driver);
  EXPECT_THAT(found[0].message, testing::HasSubstr("callout " + std::to_string(id)));
  EXPECT_THAT(found[0].message, testing::HasSubstr("filter " + std::to_string(permit)));
  ledger::clear_violations();

  classify_bodies[0] = [absorb](const auto& shown, auto context, auto& out) {
    absorb(shown, context, out);
    out.rights &= ~static_cast<UINT32>(FWPS_RIGHT_ACTION_WRITE);
  };
  EXPECT_TRUE(classify().absorb);
  EXPECT_THAT(ledger::take_rules(), IsEmpty());
}

TEST_F(ClassifyTest, TheRightCannotBeTakenBack) {
  add_sublayer(9, 0xffff);
  add(filter(FWP_ACTION_BLOCK, 9));
  with_callout(FWP_ACTION_CALLOUT_UNKNOWN,
               [](const auto&, auto, auto& out) { out.rights |= FWPS_RIGHT_ACTION_WRITE; });
  EXPECT_TRUE(classify().is_hard);
  EXPECT_THAT(ledger::take_rules(), ElementsAre(ledger::rule::kNoRight));
}

// Unregistering waits for the callout's code to end, so from inside that code it can only be refused.
TEST_F(ClassifyTest, RemovingFromInsideTheCalloutIsRefused) {
  std::uint32_t id = 0;
  std::vector<NTSTATUS> statuses;
  const auto try_it = [&] { statuses.push_back(engine->callouts().remove(id)); };
  notify_bodies[0] = [&](auto, auto&) { return try_it(), STATUS_SUCCESS; };
  classify_bodies[0] = [&](const auto&, auto, auto&) { try_it(); };
  id = register_callout<0>(1);
  ASSERT_EQ(add_callout(1, session), STATUS_SUCCESS);
  add(filter(FWP_ACTION_CALLOUT_UNKNOWN, 0, 1));
  classify();
  EXPECT_THAT(statuses, ElementsAre(STATUS_FWP_IN_USE, STATUS_FWP_IN_USE));
  EXPECT_EQ(engine->callouts().remove(id), STATUS_SUCCESS);
}

// Contexts of flows, as many as the test wants.
struct SomeContexts final : FlowContexts {
  std::uint64_t enter(std::uint64_t, std::uint16_t, std::uint32_t) override { return 0; }
  void leave(std::uint64_t, std::uint16_t, std::uint32_t) override {}
  std::size_t count_of(std::uint32_t) const override { return count; }
  void drop(std::uint32_t, std::uint64_t) override {}
  std::size_t count = 0;
};

TEST_F(ClassifyTest, WhyACalloutCouldNotBeUnregisteredIsSaidAgainAtUnload) {
  SomeContexts contexts;
  engine->set_flows(&contexts);
  const auto id = register_callout<0>(1);
  contexts.count = 3;
  EXPECT_EQ(engine->callouts().remove(id), STATUS_DEVICE_BUSY);
  EXPECT_THAT(ledger::take_rules(), IsEmpty()) << "a driver may try again";
  engine->remove_driver(driver);
  EXPECT_THAT(
      ledger::take_messages(),
      ElementsAre(testing::HasSubstr("and left callout 256: FwpsCalloutUnregisterById0 returned STATUS_DEVICE_BUSY, "
                                     "because it still had 3 flow contexts")));
  const auto again = register_callout<0>(1);
  EXPECT_EQ(engine->callouts().remove(again), STATUS_DEVICE_BUSY);
  contexts.count = 0;
  EXPECT_EQ(engine->callouts().remove(again), STATUS_SUCCESS);
  register_callout<0>(1);
  engine->remove_driver(driver);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(testing::HasSubstr("call FwpsCalloutUnregisterById0 for each")));
  engine->set_flows(nullptr);
}

TEST_F(ClassifyTest, DriverThatLeftThingsBehindIsNamed) {
  with_callout(FWP_ACTION_CALLOUT_UNKNOWN, nullptr);
  SessionId left = 0, dynamic = 0;
  ASSERT_EQ(management().open({.is_dynamic = true}, dynamic), STATUS_SUCCESS);
  register_callout<1>(2);
  ASSERT_EQ(add_callout(2, dynamic), STATUS_SUCCESS);
  EXPECT_EQ(management().close(dynamic), STATUS_SUCCESS);  // takes the second callout object with it, not its name
  {
    const ledger::DriverScope scope(driver);
    ASSERT_EQ(management().open({}, left), STATUS_SUCCESS);
  }
  engine->remove_driver(driver);
  const std::string name = ledger::driver_name(driver);
  EXPECT_THAT(ledger::take_messages(),
              ElementsAre("CALLOUT-LEFT-BEHIND: " + name +
                              " was unloaded and left callout 256 'callout' at FWPS_LAYER_INBOUND_TRANSPORT_V4, "
                              "callout 257 'callout' at " +
                              std::string(model::layer_name(kLayer)) +
                              "; call FwpsCalloutUnregisterById0 for each before DriverUnload returns",
                          "CALLOUT-LEFT-BEHIND: " + name +
                              " was unloaded with 1 engine session open; call FwpmEngineClose0 for each before "
                              "DriverUnload returns"));
  engine->remove_driver(driver);
  EXPECT_THAT(ledger::take_rules(), IsEmpty());
}

}  // namespace
}  // namespace wfp::engine
