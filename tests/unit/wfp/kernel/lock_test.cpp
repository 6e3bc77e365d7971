#include "kernel_fixture.hpp"

#include "wfp/kernel/spin_lock.hpp"

namespace wfp::kernel {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Locks : public BothSchedulers {};
INSTANTIATE_BOTH(Locks);

struct Contended {
  KSPIN_LOCK lock = 0;
  long value = 0;  // guarded by the lock
  int inside = 0;
};
constexpr int kRounds = 2000;

VOID add_under_lock(PVOID context) {
  auto& shared = *static_cast<Contended*>(context);
  for (int i = 0; i < kRounds; ++i) {
    KLOCK_QUEUE_HANDLE handle;
    KIRQL level;
    const bool queued = i % 2 == 0;
    if (queued)
      KeAcquireInStackQueuedSpinLock(&shared.lock, &handle);
    else
      KeAcquireSpinLock(&shared.lock, &level);
    EXPECT_EQ(++shared.inside, 1);
    Kernel::current().scheduler().preemption_point();
    ++shared.value;
    --shared.inside;
    if (queued)
      KeReleaseInStackQueuedSpinLock(&handle);
    else
      KeReleaseSpinLock(&shared.lock, level);
    EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
  }
}

TEST_P(Locks, ExcludeEachOtherAmongFourThreads) {
  Contended shared;
  std::vector<HANDLE> threads;
  for (int i = 0; i < 4; ++i) threads.push_back(start_thread(add_under_lock, &shared));
  for (HANDLE thread : threads) EXPECT_EQ(join(thread), STATUS_SUCCESS);
  EXPECT_EQ(shared.value, 4L * kRounds);
  EXPECT_EQ(shared.lock, 0u);
}

TEST_P(Locks, RecursionIsNamedAndSurvived) {
  KSPIN_LOCK lock;
  KeInitializeSpinLock(&lock);
  KIRQL outer, inner;
  KeAcquireSpinLock(&lock, &outer);
  KeAcquireSpinLock(&lock, &inner);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("already held by this thread")));
  KeReleaseSpinLock(&lock, inner);
  EXPECT_FALSE(KeTestSpinLock(&lock));
  EXPECT_EQ(held_spin_lock(), &lock);
  KeReleaseSpinLock(&lock, outer);
  EXPECT_TRUE(KeTestSpinLock(&lock));
  EXPECT_EQ(held_spin_lock(), nullptr);
}

VOID release_it(PVOID context) {
  KIRQL level;
  KeRaiseIrql(DISPATCH_LEVEL, &level);
  KeReleaseSpinLock(static_cast<PKSPIN_LOCK>(context), level);
}

TEST_P(Locks, ReleaseByAStrangerOrOfAFreeLockIsNamed) {
  KSPIN_LOCK lock = 0;
  release_it(&lock);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("is not held")));
  KIRQL level = KeRaiseIrqlToDpcLevel();
  EXPECT_TRUE(KeTryToAcquireSpinLockAtDpcLevel(&lock));
  EXPECT_FALSE(KeTryToAcquireSpinLockAtDpcLevel(&lock));
  KeLowerIrql(level);
  HANDLE thread = start_thread(release_it, &lock);
  void* object = nullptr;
  ObReferenceObjectByHandle(thread, THREAD_ALL_ACCESS, nullptr, KernelMode, &object, nullptr);
  scheduler().wait(object, kNever);
  ObDereferenceObject(object);
  ZwClose(thread);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("not by this thread")));
  thread_state.held_count = 0;  // this thread thinks that it still holds it
}

TEST_P(Locks, IrqlIsChecked) {
  EXPECT_TRUE(assert_irql_at_most(PASSIVE_LEVEL, "FwpsSomething"));
  const KIRQL before = KeRaiseIrqlToDpcLevel();
  EXPECT_FALSE(assert_irql_at_most(PASSIVE_LEVEL, "FwpsSomething"));
  EXPECT_THAT(
      ledger::take_messages(),
      ElementsAre(
          "IRQL-TOO-HIGH: FwpsSomething was called at DISPATCH_LEVEL; it may be called at PASSIVE_LEVEL at most"));
  KIRQL level;
  KeRaiseIrql(APC_LEVEL, &level);
  EXPECT_EQ(ledger::take_messages().size(), 1u);
  KeLowerIrql(before);
  KSPIN_LOCK lock = 0;
  KeAcquireSpinLockAtDpcLevel(&lock);  // without having raised
  KeReleaseSpinLockFromDpcLevel(&lock);
  EXPECT_TRUE(KeTryToAcquireSpinLockAtDpcLevel(&lock));
  KLOCK_QUEUE_HANDLE handle{{nullptr, &lock}, PASSIVE_LEVEL};
  KeReleaseInStackQueuedSpinLock(&handle);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("KeAcquireSpinLockAtDpcLevel was"),
                                                   HasSubstr("KeReleaseSpinLockFromDpcLevel was"),
                                                   HasSubstr("KeTryToAcquireSpinLockAtDpcLevel was"),
                                                   HasSubstr("KeReleaseInStackQueuedSpinLock was")));
  PAGED_CODE();
}

TEST_P(Locks, CriticalRegionsNest) {
  EXPECT_FALSE(KeAreApcsDisabled());
  KeEnterCriticalRegion();
  KeEnterCriticalRegion();
  KeLeaveCriticalRegion();
  EXPECT_TRUE(KeAreApcsDisabled());
  KeLeaveCriticalRegion();
  EXPECT_FALSE(KeAreApcsDisabled());
  KeLeaveCriticalRegion();
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("KeLeaveCriticalRegion")));
}

TEST_P(Locks, ProcessorNumberIsFilledIn) {
  PROCESSOR_NUMBER number{7, 7, 7};
  EXPECT_EQ(KeGetCurrentProcessorNumberEx(&number), 0u);
  EXPECT_EQ(number.Group + number.Number + number.Reserved, 0);
  EXPECT_EQ(KeGetCurrentProcessorNumberEx(nullptr), 0u);
}

// More locks than a thread's list has room for are held and released all the same.
TEST_P(Locks, MoreThanTheListHoldsStillWork) {
  std::vector<KSPIN_LOCK> locks(kMaxHeldLocks + 2);
  const IrqlScope level(DISPATCH_LEVEL);
  for (auto& lock : locks) KeAcquireSpinLockAtDpcLevel(&lock);
  EXPECT_EQ(held_spin_lock(), &locks[kMaxHeldLocks - 1]);
  for (auto& lock : locks) EXPECT_FALSE(KeTestSpinLock(&lock));
  for (auto& lock : locks) KeReleaseSpinLockFromDpcLevel(&lock);
  for (auto& lock : locks) EXPECT_TRUE(KeTestSpinLock(&lock));
  EXPECT_EQ(held_spin_lock(), nullptr);
}

struct Ring {
  KSPIN_LOCK a = 0, b = 0;
  KEVENT a_held, b_held;
};
VOID a_then_b(PVOID context) {
  auto& ring = *static_cast<Ring*>(context);
  const KIRQL level = KeRaiseIrqlToDpcLevel();
  KeAcquireSpinLockAtDpcLevel(&ring.a);
  KeSetEvent(&ring.a_held, 0, FALSE);
  Kernel::current().scheduler().wait(&ring.b_held, kNever);
  KeAcquireSpinLockAtDpcLevel(&ring.b);
  KeReleaseSpinLockFromDpcLevel(&ring.b);
  KeReleaseSpinLockFromDpcLevel(&ring.a);
  KeLowerIrql(level);
}
VOID b_then_a(PVOID context) {
  auto& ring = *static_cast<Ring*>(context);
  const KIRQL level = KeRaiseIrqlToDpcLevel();
  KeAcquireSpinLockAtDpcLevel(&ring.b);
  KeSetEvent(&ring.b_held, 0, FALSE);
  Kernel::current().scheduler().wait(&ring.a_held, kNever);
  KeAcquireSpinLockAtDpcLevel(&ring.a);
  KeReleaseSpinLockFromDpcLevel(&ring.a);
  KeReleaseSpinLockFromDpcLevel(&ring.b);
  KeLowerIrql(level);
}

void lock_in_a_ring() {
  VirtualClock clock;
  Kernel kernel(std::make_unique<SimScheduler>(clock, 1));
  auto& sim = static_cast<SimScheduler&>(kernel.scheduler());
  Ring ring;
  KeInitializeEvent(&ring.a_held, NotificationEvent, FALSE);
  KeInitializeEvent(&ring.b_held, NotificationEvent, FALSE);
  sim.start_thread("first", ledger::kNoDriver, [&] { a_then_b(&ring); });
  sim.start_thread("second", ledger::kNoDriver, [&] { b_then_a(&ring); });
  sim.run_ready();
  sim.run_ready();
}

TEST(LocksDeathTest, RingOfSpinLocksIsNamed) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(lock_in_a_ring(), "waits for spin lock 0x[0-9a-f]+ held by (first|second)");
}

class Simulated : public KernelTest {};

TEST_F(Simulated, DeadlockIsNamedAndMayBeResolved) {
  start(Mode::Sim);
  KEVENT event;
  KeInitializeEvent(&event, NotificationEvent, FALSE);
  std::string report;
  sim->set_deadlock_handler([&](const std::string& text) {
    report = text;
    KeSetEvent(&event, 0, FALSE);
  });
  Thread* thread = sim->start_thread("sleeper", driver, [&] { sim->wait(&event, kNever); });
  sim->wait(thread, kNever);
  sim->release(*thread);
  EXPECT_THAT(report, HasSubstr("deadlock: nobody can run"));
  EXPECT_THAT(report, HasSubstr("sleeper waits for event"));
  EXPECT_THAT(report, HasSubstr("main loop waits for end of a thread"));
}

// Five threads append their name three times; the order is the seed's.
std::string order_for(std::uint64_t seed) {
  VirtualClock clock;
  auto owned = std::make_unique<SimScheduler>(clock, seed);
  SimScheduler& sim = *owned;
  Kernel kernel(std::move(owned));
  std::string order;
  KSPIN_LOCK lock = 0;
  for (char name = 'a'; name <= 'e'; ++name) {
    Thread* thread = sim.start_thread(std::string(1, name), ledger::kNoDriver, [&order, &lock, name] {
      for (int i = 0; i < 3; ++i) {
        KIRQL level;
        KeAcquireSpinLock(&lock, &level);
        order.push_back(name);
        KeReleaseSpinLock(&lock, level);
        LARGE_INTEGER delay = relative(std::chrono::microseconds(i));
        KeDelayExecutionThread(KernelMode, FALSE, &delay);
      }
    });
    sim.release(*thread);
  }
  sim.run_until(std::chrono::seconds(1));
  return order;
}

TEST_F(Simulated, SeedDecidesTheOrder) {
  std::set<std::string> orders;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const std::string first = order_for(seed);
    EXPECT_EQ(first.size(), 15u);
    EXPECT_EQ(order_for(seed), first);
    orders.insert(first);
  }
  EXPECT_GE(orders.size(), 7u);
  start(Mode::Sim);
}

TEST_F(Simulated, PollingThreadCannotHoldTheTurnForever) {
  start(Mode::Sim);
  std::atomic<bool> stop{false};
  Thread* thread = sim->start_thread("poller", driver, [&] {
    while (!stop) sim->preemption_point();
  });
  EXPECT_TRUE(sim->run_ready());
  stop = true;
  sim->wait(thread, kNever);
  sim->release(*thread);
}

}  // namespace
}  // namespace wfp::kernel
