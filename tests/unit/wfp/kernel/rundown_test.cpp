#include <thread>
#include <vector>

#include "kernel_fixture.hpp"

namespace wfp::kernel {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The reference has the eight bytes of Windows: what lies beside it in the driver's structure stays as it is.
struct Neighbours {
  std::uint64_t before = ~0ull;
  EX_RUNDOWN_REF ref{};  // zero bytes: nobody holds it
  std::uint64_t after = ~0ull;
  std::atomic<int> inside{0}, rounds{0};
  std::atomic<bool> is_over{false};
};
VOID hold_often(PVOID context) {
  auto& shared = *static_cast<Neighbours*>(context);
  while (ExAcquireRundownProtection(&shared.ref)) {
    EXPECT_FALSE(shared.is_over);
    ++shared.inside;
    Kernel::current().scheduler().preemption_point();
    --shared.inside;
    ++shared.rounds;
    ExReleaseRundownProtection(&shared.ref);
  }
}

class Rundown : public KernelTest {
 protected:
  void run_down_among_holders() {
    Neighbours shared;
    std::vector<HANDLE> threads;
    for (int i = 0; i < 3; ++i) threads.push_back(start_thread(hold_often, &shared));
    while (shared.rounds < 50) {
      scheduler().preemption_point();
      std::this_thread::yield();
    }
    ExWaitForRundownProtectionRelease(&shared.ref);
    EXPECT_EQ(shared.inside, 0);
    shared.is_over = true;
    for (HANDLE thread : threads) EXPECT_EQ(join(thread), STATUS_SUCCESS);
    EXPECT_EQ(shared.ref.Count, 1u);  // run down, and nothing of the waiter's stack in it
    EXPECT_EQ(shared.before & shared.after, ~0ull);
    ExReInitializeRundownProtection(&shared.ref);
    EXPECT_TRUE(ExAcquireRundownProtection(&shared.ref));
    ExReleaseRundownProtection(&shared.ref);
    EXPECT_EQ(shared.ref.Count, 0u);
  }
};

TEST_F(Rundown, WaitsForTheLastOfManyOnThreads) {
  for (int round = 0; round < 20; ++round) {
    start(Mode::Real);
    run_down_among_holders();
    TearDown();
  }
}

TEST_F(Rundown, WaitsForTheLastOfManyInEverySeed) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    start(Mode::Sim, seed);
    run_down_among_holders();
    TearDown();
  }
}

TEST_F(Rundown, OfOneThatNobodyHoldsReturnsAtOnce) {
  start(Mode::Sim);
  EX_RUNDOWN_REF ref;
  ExInitializeRundownProtection(&ref);
  ExWaitForRundownProtectionRelease(&ref);
  ExWaitForRundownProtectionRelease(&ref);  // it is over already
  EXPECT_FALSE(ExAcquireRundownProtection(&ref));
  ExReInitializeRundownProtection(&ref);
  ExRundownCompleted(&ref);
  EXPECT_FALSE(ExAcquireRundownProtection(&ref));
}

VOID wait_for(PVOID ref) { ExWaitForRundownProtectionRelease(static_cast<PEX_RUNDOWN_REF>(ref)); }

TEST_F(Rundown, ASecondWaiterIsNamedAndDoesNotWait) {
  start(Mode::Sim);
  EX_RUNDOWN_REF ref{};
  EXPECT_TRUE(ExAcquireRundownProtection(&ref));
  HANDLE waiter = start_thread(wait_for, &ref);
  sim->settle();
  EXPECT_NE(ref.Count, 2u);
  EXPECT_EQ(ref.Count & 1, 1u);
  ExWaitForRundownProtectionRelease(&ref);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("another thread waits for")));
  ExReleaseRundownProtection(&ref);
  EXPECT_EQ(join(waiter), STATUS_SUCCESS);
}

}  // namespace
}  // namespace wfp::kernel
