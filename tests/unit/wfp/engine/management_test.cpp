// Sessions, transactions, lifetimes and the documented statuses.
#include <thread>

#include "engine_fixture.hpp"
#include "wfp/engine/weight.hpp"

namespace wfp::engine {
namespace {

class ManagementTest : public EngineTest {};

TEST_F(ManagementTest, StaleHandleFails) {
  ASSERT_EQ(management().close(session), STATUS_SUCCESS);
  EXPECT_EQ(management().close(session), STATUS_INVALID_HANDLE);
  EXPECT_EQ(management().begin(session, false), STATUS_INVALID_HANDLE);
}

TEST_F(ManagementTest, TransactionStates) {
  EXPECT_EQ(management().commit(session), STATUS_FWP_NO_TXN_IN_PROGRESS);
  EXPECT_EQ(management().begin(session, true), STATUS_SUCCESS);
  EXPECT_EQ(management().begin(session, false), STATUS_FWP_TXN_IN_PROGRESS);
  EXPECT_EQ(management().add(session, filter(FWP_ACTION_BLOCK), nullptr), STATUS_FWP_INCOMPATIBLE_TXN);
  SessionId other = 0;
  ASSERT_EQ(management().open({.name = u"", .is_dynamic = false, .wait_ms = 10}, other), STATUS_SUCCESS);
  EXPECT_EQ(management().begin(other, false), STATUS_FWP_TIMEOUT);
  EXPECT_EQ(management().abort(session), STATUS_SUCCESS);
  EXPECT_EQ(management().begin(other, false), STATUS_SUCCESS);
  EXPECT_EQ(management().close(other), STATUS_SUCCESS);  // aborts
  EXPECT_EQ(management().begin(session, false), STATUS_SUCCESS);
  EXPECT_EQ(management().commit(session), STATUS_SUCCESS);
}

TEST_F(ManagementTest, ObjectsAreValidated) {
  auto bad = filter(FWP_ACTION_BLOCK);
  bad.name.clear();
  EXPECT_EQ(management().add(session, bad, nullptr), STATUS_FWP_NULL_DISPLAY_NAME);
  EXPECT_EQ(management().add(session, filter(FWP_ACTION_CONTINUE), nullptr), STATUS_FWP_INVALID_ACTION_TYPE);
  EXPECT_EQ(management().add(session, filter(FWP_ACTION_BLOCK, 99), nullptr), STATUS_FWP_SUBLAYER_NOT_FOUND);
  EXPECT_EQ(management().add(session, filter(FWP_ACTION_CALLOUT_UNKNOWN, 0, 5), nullptr),
            STATUS_FWP_CALLOUT_NOT_FOUND);
  ASSERT_EQ(add_callout(5, session, kLayer + 2), STATUS_SUCCESS);
  EXPECT_EQ(management().add(session, filter(FWP_ACTION_CALLOUT_UNKNOWN, 0, 5), nullptr),
            STATUS_FWP_INCOMPATIBLE_LAYER);
  bad = filter(FWP_ACTION_BLOCK);
  bad.flags = FWPM_FILTER_FLAG_PERMIT_IF_CALLOUT_UNREGISTERED;
  EXPECT_EQ(management().add(session, bad, nullptr), STATUS_FWP_INVALID_FLAGS);
  bad = filter(FWP_ACTION_BLOCK);
  bad.weight.type = FWP_UINT8;
  bad.weight.number = 16;
  EXPECT_EQ(management().add(session, bad, nullptr), STATUS_FWP_INVALID_WEIGHT);
  EXPECT_EQ(add_callout(5, session), STATUS_FWP_ALREADY_EXISTS);
  EXPECT_EQ(management().remove_filter(session, std::uint64_t{77}), STATUS_FWP_FILTER_NOT_FOUND);
  EXPECT_EQ(management().remove_sublayer(session, FWPM_SUBLAYER_UNIVERSAL), STATUS_FWP_BUILTIN_OBJECT);
}

TEST_F(ManagementTest, ReferencedObjectsStay) {
  add_sublayer(3, 10);
  const auto id = add(filter(FWP_ACTION_BLOCK, 3));
  EXPECT_EQ(management().remove_sublayer(session, key_of(3)), STATUS_FWP_IN_USE);
  EXPECT_EQ(management().remove_filter(session, id), STATUS_SUCCESS);
  EXPECT_EQ(management().remove_sublayer(session, key_of(3)), STATUS_SUCCESS);
}

TEST_F(ManagementTest, DynamicObjectsVanishWithTheirSession) {
  SessionId dynamic = 0;
  ASSERT_EQ(management().open({.name = u"", .is_dynamic = true, .wait_ms = 0}, dynamic), STATUS_SUCCESS);
  model::SubLayer sublayer;
  sublayer.key = key_of(8);
  sublayer.name = u"dynamic";
  ASSERT_EQ(management().add(dynamic, sublayer), STATUS_SUCCESS);
  EXPECT_EQ(management().add(session, filter(FWP_ACTION_BLOCK, 8), nullptr), STATUS_FWP_LIFETIME_MISMATCH);
  ASSERT_EQ(management().add(dynamic, filter(FWP_ACTION_BLOCK, 8), nullptr), STATUS_SUCCESS);
  const auto fixed = add(filter(FWP_ACTION_PERMIT));
  EXPECT_EQ(management().remove_filter(dynamic, fixed), STATUS_FWP_DYNAMIC_SESSION_IN_PROGRESS);
  EXPECT_EQ(classify().verdict, Verdict::Block);
  EXPECT_EQ(management().close(dynamic), STATUS_SUCCESS);
  EXPECT_EQ(classify().verdict, Verdict::Permit);
  std::shared_ptr<const model::SubLayer> found;
  EXPECT_EQ(management().get_sublayer(session, key_of(8), found), STATUS_FWP_SUBLAYER_NOT_FOUND);
}

// 55: what another dynamic session added is neither to be used nor deleted.
TEST_F(ManagementTest, DynamicSessionsKeepToThemselves) {
  const SessionOptions dynamic{.name = u"", .is_dynamic = true, .wait_ms = 0};
  SessionId one = 0, other = 0;
  ASSERT_EQ(management().open(dynamic, one), STATUS_SUCCESS);
  ASSERT_EQ(management().open(dynamic, other), STATUS_SUCCESS);
  model::SubLayer sublayer;
  sublayer.key = key_of(8);
  sublayer.name = u"dynamic";
  ASSERT_EQ(management().add(one, sublayer), STATUS_SUCCESS);
  EXPECT_EQ(management().add(other, filter(FWP_ACTION_BLOCK, 8), nullptr), STATUS_FWP_WRONG_SESSION);
  EXPECT_EQ(management().remove_sublayer(other, key_of(8)), STATUS_FWP_WRONG_SESSION);
  EXPECT_EQ(management().remove_sublayer(one, key_of(8)), STATUS_SUCCESS);
}

TEST_F(ManagementTest, SessionsAreBounded) {
  SessionId id = 0;
  for (std::size_t i = 1; i < kMaxSessions; ++i) ASSERT_EQ(management().open({}, id), STATUS_SUCCESS);
  EXPECT_EQ(management().open({}, id), STATUS_INSUFFICIENT_RESOURCES);
  EXPECT_EQ(management().close(session), STATUS_SUCCESS);
  EXPECT_EQ(management().open({}, id), STATUS_SUCCESS);
}

// The next transaction has nothing to do with what was undone.
TEST_F(ManagementTest, AbortedDeletionsStayUndone) {
  const auto kept = add(filter(FWP_ACTION_BLOCK));
  ASSERT_EQ(management().begin(session, false), STATUS_SUCCESS);
  EXPECT_EQ(management().remove_filter(session, kept), STATUS_SUCCESS);
  EXPECT_EQ(management().abort(session), STATUS_SUCCESS);
  add(filter(FWP_ACTION_PERMIT));
  EXPECT_EQ(engine->filter_reports().size(), 2u);
  EXPECT_EQ(classify().verdict, Verdict::Block);
}

TEST_F(ManagementTest, AbortUndoesEverything) {
  const auto kept = add(filter(FWP_ACTION_BLOCK));
  ASSERT_EQ(management().begin(session, false), STATUS_SUCCESS);
  add_sublayer(4, 1);
  add(filter(FWP_ACTION_PERMIT, 4));
  EXPECT_EQ(management().remove_filter(session, kept), STATUS_SUCCESS);
  EXPECT_EQ(classify().verdict, Verdict::Block);  // nothing is published yet
  EXPECT_EQ(management().abort(session), STATUS_SUCCESS);
  EXPECT_EQ(engine->filter_reports().size(), 1u);
  std::shared_ptr<const model::SubLayer> found;
  EXPECT_EQ(management().get_sublayer(session, key_of(4), found), STATUS_FWP_SUBLAYER_NOT_FOUND);
  EXPECT_EQ(management().remove_filter(session, kept), STATUS_SUCCESS);
  EXPECT_FALSE(engine->armed(kLayer));
}

// A reader sees all of a transaction or nothing of it: the block and the hard permit before it come and go together.
TEST_F(ManagementTest, ReadersSeeWholeTransactions) {
  add_sublayer(2, 0x9000);
  add_sublayer(3, 0x7000);
  std::atomic<bool> done{false};
  std::atomic<int> torn{0}, seen{0};
  std::thread reader([&] {
    while (!done) {
      const auto result = classify();
      ++seen;
      if (result.matched && (result.verdict != Verdict::Permit || !result.is_hard)) ++torn;
    }
  });
  auto permit = filter(FWP_ACTION_PERMIT, 2);
  permit.flags = FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT;
  for (int i = 0; i < 300 || seen < 100; ++i) {
    EXPECT_EQ(management().begin(session, false), STATUS_SUCCESS);
    const auto block = add(filter(FWP_ACTION_BLOCK, 3));
    const auto hard = add(permit);
    EXPECT_EQ(management().commit(session), STATUS_SUCCESS);
    EXPECT_EQ(management().begin(session, false), STATUS_SUCCESS);
    EXPECT_EQ(management().remove_filter(session, hard), STATUS_SUCCESS);
    EXPECT_EQ(management().remove_filter(session, block), STATUS_SUCCESS);
    EXPECT_EQ(management().commit(session), STATUS_SUCCESS);
  }
  done = true;
  reader.join();
  EXPECT_EQ(torn, 0);
}

TEST_F(ManagementTest, OneSessionAKey) {
  SessionId first = 0, second = 0;
  const SessionOptions options{.key = key_of(7)};
  ASSERT_EQ(management().open(options, first), STATUS_SUCCESS);
  EXPECT_EQ(management().open(options, second), STATUS_FWP_ALREADY_EXISTS);
  EXPECT_EQ(management().close(first), STATUS_SUCCESS);
  EXPECT_EQ(management().open(options, second), STATUS_SUCCESS);
  EXPECT_EQ(management().open({}, first), STATUS_SUCCESS);  // the zero key is no key
}

class EnumerationTest : public EngineTest {
 protected:
  static bool all(const CompiledFilter&) { return true; }
  std::vector<std::uint64_t> next(EnumerationId id, std::size_t count) {
    Page<CompiledFilter> page;
    EXPECT_EQ(management().next_page(session, id, count, page), STATUS_SUCCESS);
    std::vector<std::uint64_t> ids;
    for (const auto& one : page) ids.push_back(one->filter.id);
    return ids;
  }
};

TEST_F(EnumerationTest, ShowsWhatThereWasPageByPageInTheOrderOfEvaluation) {
  auto heavy = filter(FWP_ACTION_BLOCK);
  heavy.weight.type = FWP_UINT64;
  heavy.weight.number = 1000;
  const auto first = add(filter(FWP_ACTION_BLOCK));
  const auto second = add(heavy);
  const auto third = add(filter(FWP_ACTION_PERMIT));
  EnumerationId id = 0;
  ASSERT_EQ(management().enumerate<CompiledFilter>(session, all, id), STATUS_SUCCESS);
  EXPECT_EQ(management().remove_filter(session, first), STATUS_SUCCESS);
  add(filter(FWP_ACTION_BLOCK));
  EXPECT_EQ(next(id, 2), (std::vector{second, first}));
  EXPECT_EQ(next(id, 2), std::vector{third});
  EXPECT_TRUE(next(id, 2).empty());
  EXPECT_EQ(management().end_enumeration(session, id), STATUS_SUCCESS);
  EXPECT_EQ(management().end_enumeration(session, id), STATUS_INVALID_HANDLE);
}

TEST_F(EnumerationTest, BelongsToItsSessionAndItsKind) {
  SessionId other = 0;
  ASSERT_EQ(management().open({}, other), STATUS_SUCCESS);
  EnumerationId id = 0;
  ASSERT_EQ(management().enumerate<CompiledFilter>(other, all, id), STATUS_SUCCESS);
  Page<CompiledFilter> filters;
  Page<model::SubLayer> sublayers;
  EXPECT_EQ(management().next_page(session, id, 1, filters), STATUS_INVALID_HANDLE);
  EXPECT_EQ(management().next_page(other, id, 1, sublayers), STATUS_INVALID_HANDLE);
  EXPECT_EQ(management().end_enumeration(session, id), STATUS_INVALID_HANDLE);
  EXPECT_EQ(management().close(other), STATUS_SUCCESS);
  EXPECT_EQ(management().next_page(other, id, 1, filters), STATUS_INVALID_HANDLE);
  EXPECT_EQ(management().enumerate<CompiledFilter>(other, all, id), STATUS_INVALID_HANDLE);
}

TEST_F(EnumerationTest, AreBounded) {
  EnumerationId id = 0;
  for (std::size_t i = 0; i < kMaxEnumerations; ++i)
    ASSERT_EQ(management().enumerate<CompiledFilter>(session, all, id), STATUS_SUCCESS);
  EXPECT_EQ(management().enumerate<CompiledFilter>(session, all, id), STATUS_INSUFFICIENT_RESOURCES);
  EXPECT_EQ(management().end_enumeration(session, id), STATUS_SUCCESS);
  EXPECT_EQ(management().enumerate<CompiledFilter>(session, all, id), STATUS_SUCCESS);
}

TEST(Weight, MoreSpecificWeighsMore) {
  model::Condition port, net, host;
  port.field = 1;
  port.value.type = port.value.low.type = FWP_UINT16;
  net.field = host.field = 2;
  net.value.type = host.value.type = FWP_V4_ADDR_MASK;
  net.value.v4 = {0x0a000000, 0xff000000};
  host.value.v4 = {0x0a000001, 0xffffffff};
  EXPECT_EQ(automatic_weight({}), 0u);
  EXPECT_LT(automatic_weight({net}), automatic_weight({host}));
  EXPECT_LT(automatic_weight({host}), automatic_weight({net, port}));
  EXPECT_LT(automatic_weight({host, port}), FWPM_AUTO_WEIGHT_MAX);
  model::Condition exact, addresses;
  exact.value.type = exact.value.low.type = FWP_BYTE_ARRAY16_TYPE;
  addresses = exact;
  addresses.match = FWP_MATCH_RANGE;
  EXPECT_LT(automatic_weight({addresses}), automatic_weight({exact}));  // any range of addresses is vague
  model::Value range;
  range.type = FWP_UINT8;
  range.number = 3;
  EXPECT_EQ(effective_weight(range, {port}), (std::uint64_t{3} << 60) | automatic_weight({port}));
}

}  // namespace
}  // namespace wfp::engine
