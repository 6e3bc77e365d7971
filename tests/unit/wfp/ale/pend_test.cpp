#include "wfp/ale/pend.hpp"

#include "tests/support/classifying.hpp"
#include "tests/support/fake_host.hpp"
#include "tests/unit/wfp/kernel/kernel_fixture.hpp"
#include "tests/unit/wfp/take_rules.hpp"

namespace wfp::ale {
namespace {

using kernel::Mode;
using testing::ElementsAre;

constexpr std::uint16_t kLayer = FWPS_LAYER_ALE_AUTH_CONNECT_V4;

class PendTest : public kernel::BothSchedulers {
 protected:
  void SetUp() override {
    BothSchedulers::SetUp();
    engine = std::make_unique<engine::Engine>(host, scheduler());
    pends = std::make_unique<Pends>(host, scheduler());
    callout = std::make_unique<Classifying>(*engine, kLayer, driver);
    ASSERT_EQ(callout->added, STATUS_SUCCESS);
  }
  void TearDown() override {
    EXPECT_EQ(pends->counts().open, 0u);
    EXPECT_FALSE(pends->has_work());
    EXPECT_EQ(ledger::alive_count(driver, ledger::Kind::pended_operation), 0u);
    callout.reset();
    pends.reset();
    engine.reset();
    KernelTest::TearDown();
  }
  // What the shim does for one operation. Returns the ticket.
  std::uint64_t authorize(std::function<void(HANDLE, FWPS_CLASSIFY_OUT0&)> body, bool reauthorization = false) {
    const HANDLE completion = pends->begin(reauthorization);
    const HANDLE shown = reauthorization ? nullptr : completion;
    FWPS_INCOMING_METADATA_VALUES0 metadata{};
    metadata.completionHandle = shown;
    engine::ClassifyInput input;
    input.metadata = &metadata;
    const auto result = callout->run(input, [&](std::uint64_t, FWPS_CLASSIFY_OUT0& out) { body(shown, out); });
    return pends->finish(completion, result);
  }
  static void absorb(FWPS_CLASSIFY_OUT0& out) {
    out.actionType = FWP_ACTION_BLOCK;
    out.flags |= FWPS_CLASSIFY_OUT_FLAG_ABSORB;
    out.rights &= ~static_cast<UINT32>(FWPS_RIGHT_ACTION_WRITE);
  }
  std::uint64_t pend_one(HANDLE& context) {
    return authorize([&](HANDLE completion, FWPS_CLASSIFY_OUT0& out) {
      EXPECT_EQ(pends->pend(completion, &context), STATUS_SUCCESS);
      absorb(out);
    });
  }

  FakeHost host;
  std::unique_ptr<engine::Engine> engine;
  std::unique_ptr<Pends> pends;
  std::unique_ptr<Classifying> callout;
};
INSTANTIATE_BOTH(PendTest);

TEST_P(PendTest, PendAndCompleteOnTheProcessorsThread) {
  HANDLE context = nullptr;
  const std::uint64_t ticket = pend_one(context);
  ASSERT_NE(ticket, 0u);
  EXPECT_TRUE(host.resumed.empty());
  EXPECT_EQ(pends->counts().open, 1u);
  host.on_resume = [&](std::uint64_t resumed) { EXPECT_FALSE(pends->is_denied(resumed)); };
  pends->complete(context);
  EXPECT_THAT(host.resumed, ElementsAre(ticket));  // before complete() returned
  EXPECT_EQ(pends->counts().completed, 1u);
}

TEST_P(PendTest, WithoutAPendNothingWaits) {
  EXPECT_EQ(authorize([](HANDLE, FWPS_CLASSIFY_OUT0& out) { absorb(out); }), 0u);
  EXPECT_EQ(authorize([](HANDLE, FWPS_CLASSIFY_OUT0&) {}), 0u);
  EXPECT_EQ(pends->finish(nullptr, {}), 0u);
}

TEST_P(PendTest, WhatCannotBePended) {
  HANDLE context = nullptr;
  EXPECT_EQ(pends->pend(nullptr, &context), STATUS_FWP_NULL_POINTER);
  HANDLE kept = nullptr;
  authorize([&](HANDLE completion, FWPS_CLASSIFY_OUT0&) {
    kept = completion;
    EXPECT_EQ(pends->pend(completion, nullptr), STATUS_FWP_NULL_POINTER);
    const HANDLE other = pends->begin(false);
    EXPECT_EQ(pends->pend(other, &context), STATUS_FWP_CANNOT_PEND);  // not of this classify
    pends->finish(other, {});
  });
  EXPECT_EQ(pends->pend(kept, &context), STATUS_FWP_CANNOT_PEND);  // the classify is over
  HANDLE first = nullptr;
  authorize([&](HANDLE completion, FWPS_CLASSIFY_OUT0& out) {
    EXPECT_EQ(pends->pend(completion, &first), STATUS_SUCCESS);
    EXPECT_EQ(pends->pend(completion, &context), STATUS_FWP_CANNOT_PEND);  // once is enough
    absorb(out);
  });
  pends->complete(first);
  EXPECT_EQ(pends->counts().refused, 3u);
}

TEST_P(PendTest, AReauthorizationIsNotPendedAndWaitingForItIsNamed) {
  HANDLE context = nullptr;
  const auto try_it = [&](HANDLE completion, FWPS_CLASSIFY_OUT0&) {
    EXPECT_EQ(pends->pend(completion, &context), STATUS_FWP_CANNOT_PEND);
  };
  EXPECT_EQ(authorize(try_it, true), 0u);
  EXPECT_THAT(ledger::take_rules(), testing::IsEmpty());  // it decided at once
  EXPECT_EQ(authorize(
                [&](HANDLE completion, FWPS_CLASSIFY_OUT0& out) {
                  try_it(completion, out);
                  absorb(out);
                },
                true),
            0u);
  EXPECT_THAT(ledger::take_rules(), ElementsAre("PEND-ON-REAUTH"));
}

TEST_P(PendTest, CompletingTwiceIsNamedAndHarmless) {
  HANDLE context = nullptr;
  const std::uint64_t ticket = pend_one(context);
  pends->complete(context);
  pends->complete(context);
  pends->complete(nullptr);
  pends->complete(to_windows(ticket));  // the handle, not the context
  EXPECT_THAT(host.resumed, ElementsAre(ticket));
  const auto found = ledger::violations();
  ASSERT_EQ(found.size(), 1u);  // whatever their numbers
  EXPECT_EQ(found[0].count, 3u);
  EXPECT_THAT(found[0].message, testing::HasSubstr("pended by callout 256 at FWPS_LAYER_ALE_AUTH_CONNECT_V4)"));
  EXPECT_THAT(ledger::take_rules(), ElementsAre("PEND-DOUBLE-COMPLETE"));
}

TEST_P(PendTest, CompletionInsideTheClassifyWaitsForItToUnwind) {
  HANDLE context = nullptr;
  const std::uint64_t ticket = authorize([&](HANDLE completion, FWPS_CLASSIFY_OUT0& out) {
    EXPECT_EQ(pends->pend(completion, &context), STATUS_SUCCESS);
    pends->complete(context);
    EXPECT_TRUE(host.resumed.empty());
    EXPECT_EQ(pends->run_deferred(), 0u);  // still inside
    absorb(out);
  });
  ASSERT_NE(ticket, 0u);
  EXPECT_TRUE(pends->has_work());
  EXPECT_EQ(pends->run_deferred(), 1u);
  EXPECT_THAT(host.resumed, ElementsAre(ticket));
}

TEST_P(PendTest, CompletingTwiceBeforeItIsCarriedOutIsNamed) {
  HANDLE context = nullptr;
  authorize([&](HANDLE completion, FWPS_CLASSIFY_OUT0& out) {
    EXPECT_EQ(pends->pend(completion, &context), STATUS_SUCCESS);
    pends->complete(context);
    pends->complete(context);
    absorb(out);
  });
  EXPECT_THAT(ledger::take_rules(), ElementsAre("PEND-DOUBLE-COMPLETE"));
  pends->run_deferred();
  EXPECT_EQ(host.resumed.size(), 1u);
}

// The stack is in the middle of another operation then: it goes on with this one after it.
TEST_P(PendTest, CompletionInsideAnotherClassifyWaitsForItToUnwind) {
  HANDLE context = nullptr;
  const std::uint64_t ticket = pend_one(context);
  authorize([&](HANDLE, FWPS_CLASSIFY_OUT0&) {
    pends->complete(context);
    EXPECT_TRUE(host.resumed.empty());
  });
  EXPECT_EQ(pends->run_deferred(), 1u);
  EXPECT_THAT(host.resumed, ElementsAre(ticket));
}

TEST_P(PendTest, AnotherAnswerStandsAndCompletionThenDoesNothing) {
  HANDLE context = nullptr;
  EXPECT_EQ(authorize([&](HANDLE completion, FWPS_CLASSIFY_OUT0& out) {
              EXPECT_EQ(pends->pend(completion, &context), STATUS_SUCCESS);
              out.actionType = FWP_ACTION_BLOCK;
            }),
            0u);
  ledger::clear_violations();  // the engine may have named it
  pends->complete(context);
  EXPECT_TRUE(host.resumed.empty());
  EXPECT_EQ(pends->counts().completed, 1u);
}

struct Completer {
  Pends* pends;
  FakeHost* host;
  HANDLE context;
  std::size_t resumed_before_return = 0;
  std::atomic<bool> done{false};
};

void NTAPI complete_thread(void* context) {
  auto& self = *static_cast<Completer*>(context);
  self.pends->complete(self.context);
  self.resumed_before_return = self.host->resumed.size();
  self.done = true;
}

TEST_P(PendTest, AnotherThreadsCompletionReturnsAfterTheOperationWentOn) {
  HANDLE context = nullptr;
  const std::uint64_t ticket = pend_one(context);
  Completer completer{.pends = pends.get(), .host = &host, .context = context};
  bool on_processor = false;
  host.on_resume = [&](std::uint64_t) { on_processor = host.on_processor_thread(); };
  const HANDLE thread = start_thread(complete_thread, &completer);
  serve_until([&] { return completer.done.load(); });
  EXPECT_EQ(join(thread), STATUS_SUCCESS);
  EXPECT_EQ(completer.resumed_before_return, 1u);
  EXPECT_THAT(host.resumed, ElementsAre(ticket));
  EXPECT_TRUE(on_processor);
}

TEST_P(PendTest, ALockHeldDuringCompletionIsNamed) {
  HANDLE context = nullptr;
  pend_one(context);
  KSPIN_LOCK lock{};
  KIRQL level = PASSIVE_LEVEL;
  KeAcquireSpinLock(&lock, &level);
  pends->complete(context);
  KeReleaseSpinLock(&lock, level);
  EXPECT_THAT(ledger::take_rules(), ElementsAre("LOCK-HELD-IN-CALL"));
}

TEST_P(PendTest, WhatAnUnloadedDriverLeftIsDenied) {
  HANDLE first = nullptr, second = nullptr;
  pend_one(first);
  pend_one(second);
  host.on_resume = [&](std::uint64_t ticket) {
    EXPECT_TRUE(pends->is_denied(ticket));
    EXPECT_FALSE(pends->is_denied(ticket + 1));
  };
  const ledger::DriverId other = ledger::add_driver("other");
  EXPECT_EQ(pends->complete_all_of(other), 0u);
  EXPECT_EQ(pends->complete_all_of(driver), 2u);
  EXPECT_EQ(host.resumed.size(), 2u);
  EXPECT_FALSE(pends->is_denied(host.resumed[0]));
  const auto found = ledger::violations();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].driver, driver);
  EXPECT_THAT(found[0].message, testing::HasSubstr("with 2 pended operations, denied now"));
  EXPECT_THAT(ledger::take_rules(), ElementsAre("PEND-LEFT-AT-UNLOAD"));
  EXPECT_EQ(pends->counts().completed, 0u);  // the driver completed none
  EXPECT_EQ(pends->counts().taken, 2u);
}

TEST_P(PendTest, TheTableIsBounded) {
  std::vector<HANDLE> handles;
  while (const HANDLE handle = pends->begin(false)) handles.push_back(handle);
  EXPECT_EQ(handles.size(), kMaxPends);
  EXPECT_EQ(pends->counts().table_full, 1u);
  for (const HANDLE handle : handles) EXPECT_EQ(pends->finish(handle, {}), 0u);
}

TEST_P(PendTest, ClassifyHandlesLiveFromAcquireToRelease) {
  ClassifyHandles& handles = pends->classify_handles();
  HandleValue handle = 0;
  int anything = 0;
  EXPECT_EQ(handles.acquire(&anything, 0, &handle), STATUS_UNSUCCESSFUL);
  authorize([&](HANDLE, FWPS_CLASSIFY_OUT0&) {
    EXPECT_EQ(handles.acquire(nullptr, 0, &handle), STATUS_FWP_NULL_POINTER);
    EXPECT_EQ(handles.acquire(&anything, 1, &handle), STATUS_INVALID_PARAMETER);
    EXPECT_EQ(handles.acquire(&anything, 0, &handle), STATUS_SUCCESS);
  });
  EXPECT_EQ(ledger::alive_count(driver, ledger::Kind::classify_handle), 1u);
  EXPECT_TRUE(handles.release(handle));
  EXPECT_FALSE(handles.release(handle));
  EXPECT_THAT(ledger::take_rules(), ElementsAre("CLASSIFY-HANDLE-UNKNOWN"));
}

}  // namespace
}  // namespace wfp::ale
