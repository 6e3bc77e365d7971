// Callouts through the C functions: registration, what a filter calls, notices, flow contexts, and unregistering
// while the code runs.
#include <atomic>
#include <thread>

#include "tests/unit/wfp/api/management_fixture.hpp"
#include "wfp/ledger/rules.hpp"
#include "wfp/ledger/violation.hpp"

namespace wfp::api {
namespace {

using engine::Verdict;
using testing::HasSubstr;

class CalloutApi : public ManagementApi {
 protected:
  void unregister(UINT32 id) { EXPECT_EQ(FwpsCalloutUnregisterById0(id), STATUS_SUCCESS); }
};

TEST_F(CalloutApi, BothObjectsOfAKeyShareTheNumber) {
  UINT32 added = 0;
  ASSERT_EQ(add_callout(key(1), &added), STATUS_SUCCESS);
  const UINT32 registered = register_callout(key(1));
  EXPECT_EQ(added, registered);
  const FWPS_CALLOUT3 again{key(1), 0, &classify3, &notify3, nullptr};
  EXPECT_EQ(FwpsCalloutRegister3(this, &again, nullptr), STATUS_FWP_ALREADY_EXISTS);
  unregister(registered);
  EXPECT_EQ(FwpsCalloutUnregisterById0(registered), STATUS_FWP_CALLOUT_NOT_FOUND);
}

std::string noted(ledger::rule::Id rule) {
  const auto notes = ledger::notes();
  ledger::clear_violations();
  return notes.size() == 1 && notes[0].rule == rule ? notes[0].message : std::to_string(notes.size()) + " notes";
}

TEST_F(CalloutApi, WhatStandsAtALayerThatNobodyAsksIsNoted) {
  engine->set_asked_layers({kLayer});
  EXPECT_TRUE(engine->is_asked(kLayer));
  ASSERT_EQ(add_callout(key(1), nullptr, FWPM_LAYER_STREAM_V4), STATUS_SUCCESS);
  const UINT32 id = register_callout(key(1));
  EXPECT_THAT(
      noted(ledger::rule::kNeverAsked),
      HasSubstr("FwpsCalloutRegister3: callout 'test' is at FWPS_LAYER_STREAM_V4, a layer that wfptap does not "
                "ask yet: its classifyFn is never called"));
  auto with = filter(FWP_ACTION_CALLOUT_UNKNOWN, key(1));
  with.layerKey = FWPM_LAYER_STREAM_V4;
  const UINT64 filter_id = add(with);
  EXPECT_THAT(noted(ledger::rule::kNeverAsked),
              HasSubstr("FwpmFilterAdd0: filter 'test' is at FWPS_LAYER_STREAM_V4"));
  EXPECT_FALSE(engine->filter_reports()[0].is_asked);
  EXPECT_FALSE(engine->layer_reports()[0].is_asked);
  add(filter(FWP_ACTION_PERMIT));
  EXPECT_EQ(noted(ledger::rule::kNeverAsked), "0 notes") << "a layer that is asked";
  ASSERT_EQ(FwpmFilterDeleteById0(session, filter_id), STATUS_SUCCESS);
  const auto layers = engine->layer_reports();
  const auto stream = std::ranges::find(layers, FWPS_LAYER_STREAM_V4, &engine::LayerReport::id);
  ASSERT_NE(stream, layers.end()) << "what had a filter keeps its row";
  EXPECT_EQ(stream->filters + stream->counts.classified, 0u);
  unregister(id);
}

TEST_F(CalloutApi, RegisteringAfterItsFiltersIsNoted) {
  ASSERT_EQ(add_callout(key(1)), STATUS_SUCCESS);
  const UINT64 old = add(filter(FWP_ACTION_CALLOUT_UNKNOWN, key(1)));
  const UINT32 id = register_callout(key(1));
  EXPECT_TRUE(notices.empty());
  EXPECT_THAT(noted(ledger::rule::kRegisteredLate),
              HasSubstr("FwpsCalloutRegister3: callout 'test' was registered after 1 filter that named it"));
  ASSERT_EQ(FwpmFilterDeleteById0(session, old), STATUS_SUCCESS);
  unregister(id);
}

TEST_F(CalloutApi, UnregisteredCalloutsBlockOrAreIgnored) {
  ASSERT_EQ(add_callout(key(1)), STATUS_SUCCESS);
  FWPM_FILTER0 with = filter(FWP_ACTION_CALLOUT_INSPECTION, key(1));
  UINT64 id = add(with);
  EXPECT_EQ(classify().verdict, Verdict::Permit);
  ASSERT_EQ(FwpmFilterDeleteById0(session, id), STATUS_SUCCESS);
  for (const auto action : {FWP_ACTION_CALLOUT_TERMINATING, FWP_ACTION_CALLOUT_UNKNOWN}) {
    with = filter(static_cast<FWP_ACTION_TYPE>(action), key(1));
    id = add(with);
    EXPECT_EQ(classify().verdict, Verdict::Block);
    ASSERT_EQ(FwpmFilterDeleteById0(session, id), STATUS_SUCCESS);
    with.flags = FWPM_FILTER_FLAG_PERMIT_IF_CALLOUT_UNREGISTERED;
    id = add(with);
    EXPECT_EQ(classify().verdict, Verdict::Permit);
    ASSERT_EQ(FwpmFilterDeleteById0(session, id), STATUS_SUCCESS);
  }
}

TEST_F(CalloutApi, ClassifyShowsTheFilterWithTheContextOfTheNotice) {
  const UINT32 id = register_callout(key(1));
  ASSERT_EQ(add_callout(key(1)), STATUS_SUCCESS);
  const UINT64 filter_id = add(filter(FWP_ACTION_CALLOUT_UNKNOWN, key(1)));
  on_classify = [&](const FWPS_FILTER3& shown, UINT64, FWPS_CLASSIFY_OUT0& out) {
    EXPECT_EQ(shown.filterId, filter_id);
    EXPECT_EQ(shown.action.calloutId, id);
    EXPECT_EQ(shown.context, 0xc0ffeeu);
    EXPECT_TRUE((out.rights & FWPS_RIGHT_ACTION_WRITE) != 0);
    out.actionType = FWP_ACTION_BLOCK;
    out.rights &= ~static_cast<UINT32>(FWPS_RIGHT_ACTION_WRITE);
    out.flags |= FWPS_CLASSIFY_OUT_FLAG_ABSORB;
  };
  const auto result = classify();
  EXPECT_EQ(result.verdict, Verdict::Block);
  EXPECT_TRUE(result.absorb);
  EXPECT_TRUE(result.is_hard);
  EXPECT_EQ(result.callout_id, id);
  EXPECT_EQ(result.callouts_run, 1u);
  EXPECT_EQ(engine->counts(kLayer).absorbed, 1u);
  ASSERT_EQ(FwpmFilterDeleteById0(session, filter_id), STATUS_SUCCESS);
  ASSERT_EQ(notices.size(), 2u);
  EXPECT_EQ(notices[0].type, FWPS_CALLOUT_NOTIFY_ADD_FILTER);
  EXPECT_TRUE(notices[0].has_key);
  EXPECT_EQ(notices[1].type, FWPS_CALLOUT_NOTIFY_DELETE_FILTER);
  EXPECT_FALSE(notices[1].has_key);  // documented: NULL on deletion
  unregister(id);
}

TEST_F(CalloutApi, ARefusedNoticeRefusesTheFilter) {
  const UINT32 id = register_callout(key(1));
  ASSERT_EQ(add_callout(key(1)), STATUS_SUCCESS);
  notify_status = STATUS_UNSUCCESSFUL;
  const FWPM_FILTER0 with = filter(FWP_ACTION_CALLOUT_UNKNOWN, key(1));
  EXPECT_EQ(FwpmFilterAdd0(session, &with, nullptr, nullptr), STATUS_FWP_CALLOUT_NOTIFICATION_FAILED);
  EXPECT_FALSE(engine->armed(kLayer));
  notify_status = STATUS_SUCCESS;
  unregister(id);
}

TEST_F(CalloutApi, VersionZeroHasNoClassifyContext) {
  const FWPS_CALLOUT0 callout{key(1), 0, &classify0, &notify0, nullptr};
  UINT32 id = 0;
  ASSERT_EQ(FwpsCalloutRegister0(this, &callout, &id), STATUS_SUCCESS);
  ASSERT_EQ(add_callout(key(1)), STATUS_SUCCESS);
  add(filter(FWP_ACTION_CALLOUT_TERMINATING, key(1)));
  on_classify = [](const FWPS_FILTER3&, UINT64, FWPS_CLASSIFY_OUT0& out) { out.actionType = FWP_ACTION_BLOCK; };
  EXPECT_EQ(classify().verdict, Verdict::Block);
  unregister(id);
}

TEST_F(CalloutApi, TerminatingThatContinuesBlocksAndIsNamedOnce) {
  const UINT32 id = register_callout(key(1));
  ASSERT_EQ(add_callout(key(1)), STATUS_SUCCESS);
  add(filter(FWP_ACTION_CALLOUT_TERMINATING, key(1)));
  on_classify = [](const FWPS_FILTER3&, UINT64, FWPS_CLASSIFY_OUT0& out) { out.actionType = FWP_ACTION_CONTINUE; };
  EXPECT_EQ(classify().verdict, Verdict::Block);
  EXPECT_EQ(classify().verdict, Verdict::Block);
  const auto found = ledger::take_messages();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0], ::testing::StartsWith("ARB-TERMINATING-CONTINUE"));
  unregister(id);
}

TEST_F(CalloutApi, AnIrqlThatLeaksIsNamedAndPutBack) {
  const UINT32 id = register_callout(key(1));
  ASSERT_EQ(add_callout(key(1)), STATUS_SUCCESS);
  add(filter(FWP_ACTION_CALLOUT_UNKNOWN, key(1)));
  on_classify = [](const FWPS_FILTER3&, UINT64, FWPS_CLASSIFY_OUT0& out) {
    KIRQL old = 0;
    KeRaiseIrql(HIGH_LEVEL, &old);
    out.actionType = FWP_ACTION_PERMIT;
  };
  EXPECT_EQ(classify().verdict, Verdict::Permit);
  EXPECT_EQ(kernel::current_irql(), PASSIVE_LEVEL);
  EXPECT_THAT(ledger::take_messages(), ::testing::ElementsAre(::testing::StartsWith("IRQL-LEAK")));
  unregister(id);
}

TEST_F(CalloutApi, ConditionalCalloutsSleepWithoutAContext) {
  const UINT32 id = register_callout(key(1), FWP_CALLOUT_FLAG_CONDITIONAL_ON_FLOW);
  ASSERT_EQ(add_callout(key(1)), STATUS_SUCCESS);
  add(filter(FWP_ACTION_CALLOUT_INSPECTION, key(1)));
  std::vector<UINT64> seen;
  on_classify = [&](const FWPS_FILTER3&, UINT64 context, FWPS_CLASSIFY_OUT0&) { seen.push_back(context); };
  const auto flow = flows->create({});
  EXPECT_EQ(classify(80, flow).callouts_run, 0u);
  ASSERT_EQ(FwpsFlowAssociateContext0(flow, kLayer, id, 7), STATUS_SUCCESS);
  EXPECT_EQ(FwpsFlowAssociateContext0(flow, kLayer, id, 8), STATUS_OBJECT_NAME_EXISTS);
  EXPECT_EQ(classify(80, flow).callouts_run, 1u);
  EXPECT_EQ(classify(80, 0).callouts_run, 0u);
  EXPECT_THAT(seen, ::testing::ElementsAre(7u));

  EXPECT_EQ(FwpsCalloutUnregisterById0(id), STATUS_DEVICE_BUSY);
  EXPECT_EQ(FwpsFlowRemoveContext0(flow, kLayer, id), STATUS_SUCCESS);
  EXPECT_EQ(FwpsFlowRemoveContext0(flow, kLayer, id), STATUS_UNSUCCESSFUL);
  EXPECT_THAT(deleted, ::testing::ElementsAre(7u));
  flows->end(flow);
  EXPECT_EQ(deleted.size(), 1u);
  unregister(id);
}

TEST_F(CalloutApi, RemovingInsideTheClassifyIsPending) {
  const UINT32 id = register_callout(key(1), FWP_CALLOUT_FLAG_CONDITIONAL_ON_FLOW);
  ASSERT_EQ(add_callout(key(1)), STATUS_SUCCESS);
  add(filter(FWP_ACTION_CALLOUT_INSPECTION, key(1)));
  const auto flow = flows->create({});
  ASSERT_EQ(FwpsFlowAssociateContext0(flow, kLayer, id, 9), STATUS_SUCCESS);
  on_classify = [&](const FWPS_FILTER3&, UINT64, FWPS_CLASSIFY_OUT0&) {
    EXPECT_EQ(FwpsFlowRemoveContext0(flow, kLayer, id), STATUS_PENDING);
    EXPECT_TRUE(deleted.empty());
    EXPECT_EQ(engine->callouts().remove(id), STATUS_FWP_IN_USE);
  };
  classify(80, flow);
  EXPECT_THAT(deleted, ::testing::ElementsAre(9u));
  flows->end(flow);
  unregister(id);
}

// A context that is associated between the question and the removal still gets its flowDeleteFn: the callout stays.
TEST_F(CalloutApi, AContextThatComesDuringTheRemovalKeepsTheCallout) {
  struct LateContext final : engine::FlowContexts {
    std::uint64_t enter(std::uint64_t, std::uint16_t, std::uint32_t) override { return 0; }
    void leave(std::uint64_t, std::uint16_t, std::uint32_t) override {}
    std::size_t count_of(std::uint32_t) const override { return asked++ == 1 ? 1u : 0u; }
    void drop(std::uint32_t, std::uint64_t) override {}
    mutable int asked = 0;
  } late;
  const UINT32 id = register_callout(key(1));
  engine->set_flows(&late);
  EXPECT_EQ(FwpsCalloutUnregisterById0(id), STATUS_DEVICE_BUSY);
  EXPECT_EQ(ledger::alive_count(driver, ledger::Kind::callout_registration), 1u);
  engine->set_flows(flows.get());
  unregister(id);
}

// The code of a callout may be unloaded as soon as unregistering returns: no call may still be in it.
TEST_F(CalloutApi, UnregisterWaitsForTheClassifyOnAnotherThread) {
  const UINT32 id = register_callout(key(1));
  ASSERT_EQ(add_callout(key(1)), STATUS_SUCCESS);
  add(filter(FWP_ACTION_CALLOUT_INSPECTION, key(1)));
  std::atomic<bool> is_inside{false}, may_leave{false}, has_left{false};
  on_classify = [&](const FWPS_FILTER3&, UINT64, FWPS_CLASSIFY_OUT0&) {
    is_inside = true;
    while (!may_leave) std::this_thread::yield();
    has_left = true;
  };
  std::thread packets([&] { classify(); });
  while (!is_inside) std::this_thread::yield();
  std::thread releaser([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    may_leave = true;
  });
  unregister(id);
  EXPECT_TRUE(has_left);
  packets.join();
  releaser.join();
}

TEST_F(CalloutApi, UnderTrafficRegistrationsAndFiltersComeAndGo) {
  ASSERT_EQ(add_callout(key(1)), STATUS_SUCCESS);
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> rounds{0};
  on_classify = [](const FWPS_FILTER3&, UINT64, FWPS_CLASSIFY_OUT0& out) { out.actionType = FWP_ACTION_PERMIT; };
  std::thread packets([&] {
    while (!stop) {
      classify();
      ++rounds;
    }
  });
  for (int i = 0; i < 100; ++i) {
    const UINT32 id = register_callout(key(1));
    const UINT64 filter_id = add(filter(FWP_ACTION_CALLOUT_UNKNOWN, key(1)));
    const auto seen = rounds.load();
    while (rounds.load() < seen + 3) std::this_thread::yield();
    ASSERT_EQ(FwpmFilterDeleteById0(session, filter_id), STATUS_SUCCESS);
    unregister(id);
  }
  stop = true;
  packets.join();
  EXPECT_EQ(notices.size(), 200u);  // each filter came and went
}

TEST_F(CalloutApi, CoalescingIsRefusedByNameUntilTheFlagsAreThere) {
  const auto refusals = [&] { return engine->offload_consent().refusals(); };
  EXPECT_TRUE(refusals().empty());
  ASSERT_EQ(add_callout(key(1), nullptr, FWPM_LAYER_INBOUND_TRANSPORT_V4), STATUS_SUCCESS);
  FWPM_FILTER0 with = filter(FWP_ACTION_CALLOUT_INSPECTION, key(1));
  with.layerKey = FWPM_LAYER_INBOUND_TRANSPORT_V4;
  add(with);
  UINT32 id = register_callout(key(1), FWP_CALLOUT_FLAG_ALLOW_RSC);
  ASSERT_EQ(refusals().size(), 1u);
  EXPECT_EQ(refusals()[0].driver, "testdriver");
  EXPECT_EQ(refusals()[0].missing_flag, "FWP_CALLOUT_FLAG_ALLOW_URO");
  unregister(id);
  id = register_callout(key(1), FWP_CALLOUT_FLAG_ALLOW_RSC | FWP_CALLOUT_FLAG_ALLOW_URO);
  EXPECT_TRUE(refusals().empty());
  unregister(id);
}

TEST_F(CalloutApi, AnUnloadedDriversRegistrationsAreTakenAwayAndNamed) {
  const UINT32 id = register_callout(key(1));
  engine->remove_driver(driver);
  EXPECT_EQ(FwpsCalloutUnregisterById0(id), STATUS_FWP_CALLOUT_NOT_FOUND);
  session = nullptr;  // closed with the driver
  const auto found = ledger::take_messages();
  EXPECT_THAT(found, ::testing::ElementsAre(::testing::HasSubstr("testdriver was unloaded and left callout 256;"),
                                            ::testing::HasSubstr("testdriver was unloaded with 1 engine session")));
}

TEST_F(CalloutApi, ManagementAboveItsLevelIsNamed) {
  {
    const kernel::IrqlScope dispatch(DISPATCH_LEVEL);
    UINT32 id = 0;
    const FWPS_CALLOUT3 callout{key(1), 0, &classify3, &notify3, nullptr};
    FwpsCalloutRegister3(this, &callout, &id);
    EXPECT_THAT(ledger::take_messages(), ::testing::Contains(::testing::HasSubstr("FwpsCalloutRegister3")));
  }
  const GUID callout_key = key(1);
  FwpsCalloutUnregisterByKey0(&callout_key);
}

}  // namespace
}  // namespace wfp::api
