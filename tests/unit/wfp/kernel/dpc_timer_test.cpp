#include "kernel_fixture.hpp"

namespace wfp::kernel {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Record {
  std::atomic<int> runs{0};
  std::vector<Duration> at;
  const Clock* clock = nullptr;
  std::thread::id thread;
  KIRQL irql = 0;
  void* argument = nullptr;
};

VOID record_dpc(PKDPC, PVOID context, PVOID argument1, PVOID) {
  auto& record = *static_cast<Record*>(context);
  record.thread = std::this_thread::get_id();
  record.irql = KeGetCurrentIrql();
  record.argument = argument1;
  if (record.clock != nullptr) record.at.push_back(record.clock->now());
  ++record.runs;
}

class Dpc : public BothSchedulers {};
INSTANTIATE_BOTH(Dpc);

TEST_P(Dpc, RunsOnceOnTheProcessorsThreadAtDispatchLevel) {
  Record record;
  KDPC dpc;
  KeInitializeDpc(&dpc, record_dpc, &record);
  EXPECT_TRUE(KeInsertQueueDpc(&dpc, &dpc, nullptr));
  EXPECT_FALSE(KeInsertQueueDpc(&dpc, nullptr, nullptr));  // queued already: the first arguments stay
  EXPECT_EQ(record.runs, 0);
  EXPECT_EQ(scheduler().run_dpcs(0), 1u);
  EXPECT_EQ(scheduler().run_dpcs(0), 0u);
  EXPECT_EQ(record.runs, 1);
  EXPECT_EQ(record.argument, &dpc);
  EXPECT_EQ(record.irql, DISPATCH_LEVEL);
  EXPECT_EQ(record.thread, std::this_thread::get_id());
  EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

TEST_P(Dpc, RemovedOneDoesNotRun) {
  Record record;
  KDPC dpc;
  KeInitializeDpc(&dpc, record_dpc, &record);
  EXPECT_FALSE(KeRemoveQueueDpc(&dpc));
  KeInsertQueueDpc(&dpc, nullptr, nullptr);
  EXPECT_TRUE(KeRemoveQueueDpc(&dpc));
  EXPECT_EQ(scheduler().run_dpcs(0), 0u);
}

VOID name_dpc(PKDPC, PVOID context, PVOID name, PVOID) {
  static_cast<std::string*>(context)->append(static_cast<const char*>(name));
}

TEST_P(Dpc, ImportantOnesRunFirst) {
  std::string order;
  KDPC dpcs[3];
  for (KDPC& dpc : dpcs) KeInitializeDpc(&dpc, name_dpc, &order);
  KeSetImportanceDpc(&dpcs[2], HighImportance);
  const char* names[] = {"a", "b", "!"};
  for (int i = 0; i < 3; ++i) KeInsertQueueDpc(&dpcs[i], const_cast<char*>(names[i]), nullptr);
  EXPECT_EQ(scheduler().run_dpcs(0), 3u);
  EXPECT_EQ(order, "!ab");
}

VOID note_processor(PKDPC, PVOID context, PVOID, PVOID) {
  *static_cast<ULONG*>(context) = KeGetCurrentProcessorNumber();
}

TEST(DpcTarget, RunsOnTheProcessorThatItNames) {
  VirtualClock clock;
  Kernel kernel(std::make_unique<SimScheduler>(clock, 1, 2));
  Scheduler& scheduler = kernel.scheduler();
  scheduler.bind_processor(0);
  scheduler.bind_processor(1);
  ULONG ran_on = 99;
  KDPC dpc;
  KeInitializeDpc(&dpc, note_processor, &ran_on);
  KeSetTargetProcessorDpc(&dpc, 1);
  KeInsertQueueDpc(&dpc, nullptr, nullptr);
  EXPECT_EQ(scheduler.run_dpcs(0), 0u);
  EXPECT_EQ(scheduler.run_dpcs(1), 1u);
  EXPECT_EQ(ran_on, 1u);
  KeSetTargetProcessorDpc(&dpc, 63);  // there is no such processor: the first one runs it
  KeInsertQueueDpc(&dpc, nullptr, nullptr);
  EXPECT_EQ(scheduler.run_dpcs(0), 1u);
  EXPECT_EQ(ran_on, 0u);
  EXPECT_EQ(KeQueryActiveProcessorCount(nullptr), 2u);
  scheduler.unbind_processor(0);
  scheduler.unbind_processor(1);
}

struct FromThread {
  KDPC dpc;
  Record record;
};
VOID queue_from_thread(PVOID context) { KeInsertQueueDpc(&static_cast<FromThread*>(context)->dpc, nullptr, nullptr); }

TEST_P(Dpc, QueuedElsewhereWakesTheProcessor) {
  FromThread shared;
  std::atomic<int> wakes{0};
  scheduler().set_processor_wake(0, [&] { ++wakes; });
  KeInitializeDpc(&shared.dpc, record_dpc, &shared.record);
  HANDLE thread = start_thread(queue_from_thread, &shared);
  serve_until([&] { return shared.record.runs == 1; });
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(shared.record.thread, std::this_thread::get_id());
  EXPECT_EQ(join(thread), STATUS_SUCCESS);
}

// A driver that waits on the processor's own thread, as DriverUnload may, still gets its DPCs.
struct SetsEvent {
  KDPC dpc;
  KEVENT event;
};
VOID set_event_dpc(PKDPC, PVOID context, PVOID, PVOID) {
  KeSetEvent(&static_cast<SetsEvent*>(context)->event, 0, FALSE);
}

TEST_P(Dpc, RunsWhileItsProcessorsThreadWaits) {
  SetsEvent shared;
  KeInitializeEvent(&shared.event, NotificationEvent, FALSE);
  KeInitializeDpc(&shared.dpc, set_event_dpc, &shared);
  KeInsertQueueDpc(&shared.dpc, nullptr, nullptr);
  EXPECT_EQ(KeWaitForSingleObject(&shared.event, Executive, KernelMode, FALSE, nullptr), STATUS_SUCCESS);
  KeFlushQueuedDpcs();
}

struct Poster {
  Scheduler* scheduler;
  std::thread::id ran_on;
  std::atomic<bool> returned{false};
};
VOID post_from_thread(PVOID context) {
  auto& poster = *static_cast<Poster*>(context);
  EXPECT_TRUE(poster.scheduler->post_and_wait(0, [&] { poster.ran_on = std::this_thread::get_id(); }));
  EXPECT_NE(poster.ran_on, std::thread::id{});  // it ran before the call returned
  poster.returned = true;
}

TEST_P(Dpc, PostAndWaitRunsOnTheProcessor) {
  Poster poster{.scheduler = &scheduler(), .ran_on = {}};
  HANDLE thread = start_thread(post_from_thread, &poster);
  serve_until([&] { return poster.returned.load(); });
  EXPECT_EQ(poster.ran_on, std::this_thread::get_id());
  EXPECT_EQ(join(thread), STATUS_SUCCESS);
  bool ran = false;
  EXPECT_TRUE(scheduler().post_and_wait(0, [&] { ran = true; }));  // on its own thread: at once
  EXPECT_TRUE(ran);
  EXPECT_EQ(scheduler().counts().tasks_run, 1u);
}

TEST_P(Dpc, PostToAWaitingProcessorIsServed) {
  Poster poster{.scheduler = &scheduler(), .ran_on = {}};
  EXPECT_EQ(join(start_thread(post_from_thread, &poster)), STATUS_SUCCESS);  // serves while it waits for the thread
  EXPECT_TRUE(poster.returned);
}

// The processor stops while a thread waits for its task: the call says that the task did not run.
TEST_P(Dpc, TaskIsGivenBackWhenItsProcessorStops) {
  struct Given {
    Scheduler* scheduler;
    bool ran = false, accepted = true;
  } given{&scheduler()};
  const auto post = [](PVOID context) {
    auto& shared = *static_cast<Given*>(context);
    shared.accepted = shared.scheduler->post_and_wait(0, [&] { shared.ran = true; });
  };
  HANDLE thread = start_thread(post, &given);
  while (!scheduler().has_work(0))
    sim != nullptr ? static_cast<void>(sim->run_ready()) : std::this_thread::sleep_for(100us);
  scheduler().unbind_processor(0);
  EXPECT_EQ(join(thread), STATUS_SUCCESS);
  EXPECT_FALSE(given.ran);
  EXPECT_FALSE(given.accepted);
  EXPECT_FALSE(scheduler().post_and_wait(0, [&] { given.ran = true; }));  // nobody runs it now
  EXPECT_FALSE(given.ran);
  scheduler().bind_processor(0);
}

struct Careless {
  KDPC dpc;
  KSPIN_LOCK lock = 0;
};
VOID careless_dpc(PKDPC, PVOID context, PVOID, PVOID) {
  KeAcquireSpinLockAtDpcLevel(&static_cast<Careless*>(context)->lock);
  KeLowerIrql(APC_LEVEL);
}

TEST_P(Dpc, ReturningWithALockOrAtAnotherLevelIsNamed) {
  Careless careless;
  KeInitializeDpc(&careless.dpc, careless_dpc, &careless);
  KeInsertQueueDpc(&careless.dpc, nullptr, nullptr);
  scheduler().run_dpcs(0);
  EXPECT_THAT(ledger::take_messages(),
              ElementsAre(HasSubstr("LOCK-HELD-IN-CALL: a DPC routine returned with spin lock"),
                          HasSubstr("IRQL-LEAK: a DPC routine returned at APC_LEVEL; it must return at DISPATCH")));
  EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
  const IrqlScope level(DISPATCH_LEVEL);
  KeReleaseSpinLockFromDpcLevel(&careless.lock);
}

VOID ends_raised(PVOID) { KeRaiseIrqlToDpcLevel(); }
VOID work_raised(PDEVICE_OBJECT, PVOID) { KeRaiseIrqlToDpcLevel(); }

TEST_P(Dpc, ThreadsAndWorkItemsReturnAtPassiveLevel) {
  EXPECT_EQ(join(start_thread(ends_raised, nullptr)), STATUS_SUCCESS);
  EXPECT_THAT(ledger::take_messages(),
              ElementsAre(HasSubstr("returned at DISPATCH_LEVEL; it must return at PASSIVE_LEVEL")));
  DEVICE_OBJECT device{};
  PIO_WORKITEM item = IoAllocateWorkItem(&device);
  for (int i = 0; i < 8; ++i) {  // the worker's level is put right, so that each time is a new one
    IoQueueWorkItem(item, work_raised, DelayedWorkQueue, nullptr);
    scheduler().drain_work(ledger::kNoDriver);
  }
  ASSERT_EQ(ledger::violations().size(), 1u);
  EXPECT_EQ(ledger::violations()[0].count, 8u);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("IRQL-LEAK: a work item returned at DISPATCH_LEVEL")));
  IoFreeWorkItem(item);
}

TEST_P(Dpc, TimerFiresAndCancelledOneDoesNot) {
  Record record;
  KDPC dpc;
  KTIMER timer, cancelled;
  KeInitializeDpc(&dpc, record_dpc, &record);
  KeInitializeTimer(&timer);
  KeInitializeTimerEx(&cancelled, SynchronizationTimer);
  EXPECT_FALSE(KeSetTimer(&timer, relative(3ms), &dpc));
  EXPECT_FALSE(KeSetTimer(&cancelled, relative(1ms), &dpc));
  EXPECT_TRUE(KeCancelTimer(&cancelled));
  EXPECT_FALSE(KeCancelTimer(&cancelled));
  EXPECT_EQ(KeWaitForSingleObject(&timer, Executive, KernelMode, FALSE, nullptr), STATUS_SUCCESS);
  serve_until([&] { return record.runs == 1; });
  EXPECT_TRUE(KeReadStateTimer(&timer));
  EXPECT_FALSE(KeReadStateTimer(&cancelled));
}

TEST_P(Dpc, OnlyOneDriversTimersAreCancelled) {
  KTIMER mine, other;
  KeInitializeTimer(&mine);
  KeInitializeTimer(&other);
  KeSetTimer(&other, relative(1h), nullptr);
  {
    const ledger::DriverScope scope(driver);
    KeSetTimer(&mine, relative(1h), nullptr);
  }
  EXPECT_EQ(scheduler().cancel_timers_of(driver), 1u);
  EXPECT_FALSE(KeCancelTimer(&mine));
  EXPECT_TRUE(KeCancelTimer(&other));
}

// Work that arrives between a processor's look for it and its blocking. The DPC that cannot run at this level keeps
// the processor looking with the lock released, which is where a wake-up could be lost.
TEST(RealDpc, TaskPostedToAWaitingProcessorIsNeverMissed) {
  constexpr int kRounds = 4000;
  VirtualClock clock;
  Kernel kernel(std::make_unique<RealScheduler>(clock));
  Scheduler& scheduler = kernel.scheduler();
  scheduler.bind_processor(0);
  Record record;
  KDPC dpc;
  KeInitializeDpc(&dpc, record_dpc, &record);
  KEVENT done;
  KeInitializeEvent(&done, SynchronizationEvent, FALSE);
  std::atomic<int> round{0};
  Thread* poster = scheduler.start_thread("poster", ledger::kNoDriver, [&] {
    for (int mine = 1; mine <= kRounds; ++mine) {
      while (round != mine) __builtin_ia32_pause();
      for (int i = 0; i < mine % 128; ++i) __builtin_ia32_pause();  // meets the waiter at a different step each time
      EXPECT_TRUE(scheduler.post_and_wait(0, [] {}));
      KeSetEvent(&done, 0, FALSE);
    }
  });
  {
    const IrqlScope level(DISPATCH_LEVEL);
    KeInsertQueueDpc(&dpc, nullptr, nullptr);
    for (int i = 1; i <= kRounds; ++i) {
      round = i;
      ASSERT_EQ(scheduler.wait(&done, kNever), STATUS_SUCCESS);
    }
  }
  scheduler.wait(poster, kNever);
  scheduler.release(*poster);
  scheduler.run_dpcs(0);
  EXPECT_EQ(record.runs, 1);
  scheduler.unbind_processor(0);
}

// A clock that was away for a month: one expiry, and the next one lies ahead.
TEST(RealTimers, MissedPeriodsAreOneExpiry) {
  VirtualClock clock;
  Kernel kernel(std::make_unique<RealScheduler>(clock));
  KTIMER timer;
  KeInitializeTimerEx(&timer, SynchronizationTimer);
  KeSetTimerEx(&timer, relative(1ms), 1, nullptr);
  clock.advance_to(std::chrono::hours(24 * 30) + 500us);
  EXPECT_EQ(KeWaitForSingleObject(&timer, Executive, KernelMode, FALSE, nullptr), STATUS_SUCCESS);
  EXPECT_GT(kernel.scheduler().next_deadline(), clock.now());
  KeCancelTimer(&timer);
}

class VirtualTimers : public KernelTest {
 protected:
  void SetUp() override { start(Mode::Sim); }
};

TEST_F(VirtualTimers, FireExactlyWhenDue) {
  Record record;
  record.clock = &virtual_clock;
  KDPC dpc;
  KTIMER timer;
  KeInitializeDpc(&dpc, record_dpc, &record);
  KeInitializeTimer(&timer);
  KeSetTimer(&timer, relative(10ms), &dpc);
  EXPECT_EQ(sim->next_deadline(), 10ms);
  sim->run_until(9'999'999ns);
  EXPECT_EQ(record.runs, 0);
  sim->run_until(10ms);
  EXPECT_EQ(record.runs, 1);
  EXPECT_EQ(sim->next_deadline(), kNever);
  EXPECT_TRUE(KeSetTimerEx(&timer, relative(5ms), 20, &dpc) == FALSE);
  EXPECT_TRUE(KeSetTimerEx(&timer, relative(1ms), 20, &dpc));  // set again before it fired
  sim->run_until(60ms);
  EXPECT_TRUE(KeCancelTimer(&timer));
  sim->run_until(500ms);
  EXPECT_THAT(record.at, ::testing::ElementsAre(10ms, 11ms, 31ms, 51ms));
}

TEST_F(VirtualTimers, AbsoluteTimeAndClocks) {
  sim->run_until(5ms);
  LARGE_INTEGER now, due;
  KeQuerySystemTime(&now);
  EXPECT_EQ(KeQueryInterruptTime(), 50'000u);
  due.QuadPart = now.QuadPart + 20'000;  // 2 ms
  KTIMER timer;
  KeInitializeTimer(&timer);
  KeSetTimer(&timer, due, nullptr);
  EXPECT_EQ(sim->next_deadline(), 7ms);
  due.QuadPart = 1;  // long past: due at once
  EXPECT_TRUE(KeSetTimer(&timer, due, nullptr));
  EXPECT_EQ(sim->next_deadline(), 5ms);
  LARGE_INTEGER frequency;
  const LARGE_INTEGER counter = KeQueryPerformanceCounter(&frequency);
  EXPECT_EQ(counter.QuadPart * 1000 / frequency.QuadPart, 5);
  KeCancelTimer(&timer);
}

}  // namespace
}  // namespace wfp::kernel
