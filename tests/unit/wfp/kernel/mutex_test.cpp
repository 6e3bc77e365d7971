#include <vector>

#include "kernel_fixture.hpp"
#include "ntddk.h"

namespace wfp::kernel {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Mutexes : public BothSchedulers {};
INSTANTIATE_BOTH(Mutexes);

struct Contended {
  FAST_MUTEX fast{};
  KGUARDED_MUTEX guarded{};
  long value = 0;  // guarded by one of them
  int inside = 0;
};
constexpr int kRounds = 500;

// As a compiled driver initialises it, by code of its own.
void initialize_inline(FAST_MUTEX& mutex) {
  mutex.Count = 1;
  mutex.Owner = nullptr;
  mutex.Contention = 0;
  KeInitializeEvent(&mutex.Event, SynchronizationEvent, FALSE);
}

void add_inside(Contended& shared) {
  EXPECT_EQ(++shared.inside, 1);
  Kernel::current().scheduler().preemption_point();
  ++shared.value;
  --shared.inside;
}
VOID add_under_fast_mutex(PVOID context) {
  auto& shared = *static_cast<Contended*>(context);
  for (int i = 0; i < kRounds; ++i) {
    ExAcquireFastMutex(&shared.fast);
    EXPECT_EQ(KeGetCurrentIrql(), APC_LEVEL);
    add_inside(shared);
    ExReleaseFastMutex(&shared.fast);
    EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
  }
}
VOID add_under_guarded_mutex(PVOID context) {
  auto& shared = *static_cast<Contended*>(context);
  for (int i = 0; i < kRounds; ++i) {
    KeAcquireGuardedMutex(&shared.guarded);
    EXPECT_TRUE(KeAreApcsDisabled());
    add_inside(shared);
    KeReleaseGuardedMutex(&shared.guarded);
    EXPECT_FALSE(KeAreApcsDisabled());
  }
}

TEST_P(Mutexes, ExcludeEachOtherAmongFourThreads) {
  for (KSTART_ROUTINE* routine : {add_under_fast_mutex, add_under_guarded_mutex}) {
    Contended shared;
    initialize_inline(shared.fast);
    KeInitializeGuardedMutex(&shared.guarded);
    std::vector<HANDLE> threads;
    for (int i = 0; i < 4; ++i) threads.push_back(start_thread(routine, &shared));
    for (HANDLE thread : threads) EXPECT_EQ(join(thread), STATUS_SUCCESS);
    EXPECT_EQ(shared.value, 4L * kRounds);
    EXPECT_EQ(shared.fast.Count, 1);
    EXPECT_EQ(shared.guarded.Count, 1);
  }
}

class MutexSeeds : public KernelTest {};

TEST_F(MutexSeeds, WaitersAreHandedTheMutexInEveryOrder) {
  std::size_t contention = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    start(Mode::Sim, seed);
    Contended shared;
    ExInitializeFastMutex(&shared.fast);
    std::vector<HANDLE> threads;
    for (int i = 0; i < 3; ++i) threads.push_back(start_thread(add_under_fast_mutex, &shared));
    for (HANDLE thread : threads) EXPECT_EQ(join(thread), STATUS_SUCCESS);
    EXPECT_EQ(shared.value, 3L * kRounds);
    contention += shared.fast.Contention;
    TearDown();
  }
  EXPECT_GT(contention, 0u);
}

TEST_P(Mutexes, TryTakesAFreeOneOnly) {
  Contended shared;
  ExInitializeFastMutex(&shared.fast);
  KeInitializeGuardedMutex(&shared.guarded);
  EXPECT_TRUE(ExTryToAcquireFastMutex(&shared.fast));
  EXPECT_EQ(KeGetCurrentIrql(), APC_LEVEL);
  EXPECT_FALSE(ExTryToAcquireFastMutex(&shared.fast));
  ExReleaseFastMutex(&shared.fast);
  EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
  EXPECT_TRUE(KeTryToAcquireGuardedMutex(&shared.guarded));
  EXPECT_FALSE(KeTryToAcquireGuardedMutex(&shared.guarded));
  KeReleaseGuardedMutex(&shared.guarded);
  EXPECT_FALSE(KeAreApcsDisabled());
}

TEST_P(Mutexes, RecursionIsNamedAndSurvived) {
  Contended shared;
  ExInitializeFastMutex(&shared.fast);
  KeInitializeGuardedMutex(&shared.guarded);
  for (int i = 0; i < 3; ++i) ExAcquireFastMutex(&shared.fast);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("ExAcquireFastMutex: mutex")));
  ExReleaseFastMutex(&shared.fast);
  ExReleaseFastMutex(&shared.fast);
  EXPECT_EQ(shared.fast.Count, 0);
  ExReleaseFastMutex(&shared.fast);
  EXPECT_EQ(shared.fast.Count, 1);
  EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);

  KeAcquireGuardedMutex(&shared.guarded);
  KeAcquireGuardedMutex(&shared.guarded);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("KeAcquireGuardedMutex: mutex")));
  KeReleaseGuardedMutex(&shared.guarded);
  EXPECT_TRUE(KeAreApcsDisabled());
  KeReleaseGuardedMutex(&shared.guarded);
  EXPECT_FALSE(KeAreApcsDisabled());
}

VOID release_it(PVOID context) {
  KIRQL level;
  KeRaiseIrql(APC_LEVEL, &level);
  ExReleaseFastMutex(static_cast<PFAST_MUTEX>(context));
  KeLowerIrql(level);
}

TEST_P(Mutexes, ReleaseByAStrangerOrOfAFreeOneIsNamed) {
  FAST_MUTEX mutex;
  ExInitializeFastMutex(&mutex);
  release_it(&mutex);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("does not own it")));
  ExAcquireFastMutex(&mutex);
  {
    const IrqlScope level(PASSIVE_LEVEL);  // threads are made there
    EXPECT_EQ(join(start_thread(release_it, &mutex)), STATUS_SUCCESS);
  }
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("does not own it")));
  ExReleaseFastMutex(&mutex);
  EXPECT_EQ(mutex.Count, 1);
}

TEST_P(Mutexes, WrongLevelsAndUninitializedMemoryAreNamed) {
  FAST_MUTEX mutex{};
  ExAcquireFastMutex(&mutex);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("was never initialized")));
  ExInitializeFastMutex(&mutex);
  const KIRQL before = KeRaiseIrqlToDpcLevel();
  ExAcquireFastMutex(&mutex);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("ExAcquireFastMutex was called at DISPATCH_LEVEL")));
  EXPECT_FALSE(ExTryToAcquireFastMutex(&mutex));
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("ExTryToAcquireFastMutex was called")));
  KeLowerIrql(before);
  ExAcquireFastMutex(&mutex);
  KeLowerIrql(PASSIVE_LEVEL);  // the driver's mistake
  ExReleaseFastMutex(&mutex);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("ExReleaseFastMutex was called at PASSIVE_LEVEL")));
  EXPECT_EQ(mutex.Count, 1);
}

}  // namespace
}  // namespace wfp::kernel
