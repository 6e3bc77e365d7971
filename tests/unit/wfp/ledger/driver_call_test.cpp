#include "wfp/ledger/driver_call.hpp"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

namespace wfp::ledger {
namespace {

// The calling thread's slot, as a watcher finds it.
const CallSlot* own_slot() {
  const int self = static_cast<int>(syscall(SYS_gettid));
  for (std::size_t i = 0; i < call_slot_count(); ++i)
    if (call_slot(i).thread == self) return &call_slot(i);
  return nullptr;
}

TEST(DriverCalls, EachOutermostCallHasAMarkOfItsOwn) {
  std::uint64_t first = 0;
  {
    const DriverCall call(CallKind::Classify);
    ASSERT_NE(own_slot(), nullptr);
    first = own_slot()->mark;
    EXPECT_NE(first, 0U);
    EXPECT_EQ(current_call(), CallKind::Classify);
    {
      const DriverCall inner(CallKind::Notify);
      EXPECT_EQ(own_slot()->mark, first) << "the outer one lasts longer";
      EXPECT_EQ(current_call(), CallKind::Notify);
    }
    EXPECT_EQ(own_slot()->mark, first);
    EXPECT_EQ(current_call(), CallKind::Classify);
  }
  EXPECT_EQ(own_slot()->mark, 0U);
  EXPECT_EQ(current_call(), CallKind::None);
  const DriverCall next(CallKind::Dpc);
  EXPECT_NE(own_slot()->mark, first);
  EXPECT_NE(own_slot()->mark, 0U);
}

TEST(DriverCalls, AThreadsBodyMayLastButCallsInsideItMayNot) {
  for (const auto body : {CallKind::Thread, CallKind::WorkItem}) {
    const DriverCall outer(body);
    EXPECT_EQ(own_slot()->mark, 0U);
    {
      const DriverCall inner(CallKind::Notify);
      EXPECT_NE(own_slot()->mark, 0U);
    }
    EXPECT_EQ(own_slot()->mark, 0U);
  }
}

std::atomic<int> prepared{0};

TEST(DriverCalls, AThreadIsPreparedOnceAndItsSlotGoesWithIt) {
  set_thread_preparation([] { ++prepared; });
  int thread = 0;
  std::thread{[&] {
    for (int i = 0; i < 3; ++i) const DriverCall call(CallKind::Dpc);
    thread = static_cast<int>(syscall(SYS_gettid));
    EXPECT_NE(own_slot(), nullptr);
  }}.join();
  set_thread_preparation(nullptr);
  EXPECT_EQ(prepared, 1);
  for (std::size_t i = 0; i < call_slot_count(); ++i) EXPECT_NE(call_slot(i).thread, thread);
}

TEST(DriverCalls, EveryKindHasAPhrase) {
  for (int kind = 1; kind <= static_cast<int>(CallKind::WorkItem); ++kind) {
    const std::string phrase = phrase_of(static_cast<CallKind>(kind));
    EXPECT_TRUE(phrase.starts_with("its ") || phrase.starts_with("the ")) << phrase;
  }
}

}  // namespace
}  // namespace wfp::ledger
