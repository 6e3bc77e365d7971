// What happens when a table of the kernel is full: the call fails, it is counted or named, and room is usable again.
#include <sys/resource.h>

#include <cstdlib>

#include "kernel_fixture.hpp"
#include "src/app/process/sanitizer.hpp"
#include "wfp/kernel/driver_object.hpp"
#include "wfp/ledger/driver_call.hpp"

namespace wfp::kernel {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Bounds : public KernelTest {
 protected:
  void SetUp() override { start(Mode::Real); }
};

std::atomic<std::size_t> runs{0};
VOID count_dpc(PKDPC, PVOID, PVOID, PVOID) { ++runs; }

TEST_F(Bounds, DpcQueue) {
  runs = 0;
  std::vector<KDPC> dpcs(kMaxQueuedDpcs + 1);
  for (KDPC& dpc : dpcs) KeInitializeDpc(&dpc, count_dpc, nullptr);
  for (std::size_t i = 0; i < kMaxQueuedDpcs; ++i) EXPECT_TRUE(KeInsertQueueDpc(&dpcs[i], nullptr, nullptr));
  EXPECT_FALSE(KeInsertQueueDpc(&dpcs.back(), nullptr, nullptr));
  EXPECT_EQ(scheduler().counts().dpcs_refused, 1u);
  EXPECT_EQ(scheduler().run_dpcs(0), kMaxQueuedDpcs);
  EXPECT_TRUE(KeInsertQueueDpc(&dpcs.back(), nullptr, nullptr));
  EXPECT_EQ(scheduler().run_dpcs(0), 1u);
  EXPECT_EQ(runs, kMaxQueuedDpcs + 1);
}

TEST_F(Bounds, Timers) {
  const ledger::DriverScope scope(driver);
  std::vector<KTIMER> timers(kMaxTimers + 1);
  for (KTIMER& timer : timers) {
    KeInitializeTimer(&timer);
    EXPECT_FALSE(KeSetTimer(&timer, relative(std::chrono::hours(1)), nullptr));
  }
  EXPECT_THAT(ledger::take_messages(),
              ElementsAre(HasSubstr("BOUND-REACHED: KeSetTimer: 65536 timers are set already")));
  EXPECT_EQ(scheduler().counts().timers_refused, 1u);
  EXPECT_FALSE(KeCancelTimer(&timers.back()));
  EXPECT_TRUE(KeCancelTimer(&timers.front()));
  EXPECT_FALSE(KeSetTimer(&timers.back(), relative(std::chrono::hours(1)), nullptr));
  EXPECT_EQ(scheduler().cancel_timers_of(driver), kMaxTimers);
}

VOID count_work(PDEVICE_OBJECT, PVOID) {
  ++runs;
  if (ledger::current_call() != ledger::CallKind::WorkItem) ADD_FAILURE();
}

TEST_F(Bounds, WorkItems) {
  runs = 0;
  DEVICE_OBJECT device{};
  BusyWorkers busy;
  std::vector<PIO_WORKITEM> items(kWorkerThreads + kMaxQueuedWorkItems + 1);
  for (PIO_WORKITEM& item : items) item = IoAllocateWorkItem(&device);
  for (unsigned i = 0; i < kWorkerThreads; ++i) busy.queue(items[i]);
  serve_until([&] { return busy.are_all_busy(); });
  for (std::size_t i = kWorkerThreads; i < items.size(); ++i)
    IoQueueWorkItem(items[i], count_work, DelayedWorkQueue, nullptr);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("BOUND-REACHED: IoQueueWorkItem: 16384 work items")));
  EXPECT_EQ(scheduler().counts().work_refused, 1u);
  KeSetEvent(&busy.go, 0, FALSE);
  scheduler().drain_work(ledger::kNoDriver);
  EXPECT_EQ(runs, kMaxQueuedWorkItems);
  IoQueueWorkItem(items.back(), count_work, DelayedWorkQueue, nullptr);  // the refused one is as good as new
  scheduler().drain_work(ledger::kNoDriver);
  EXPECT_EQ(runs, kMaxQueuedWorkItems + 1);
  for (PIO_WORKITEM item : items) IoFreeWorkItem(item);
}

TEST_F(Bounds, Handles) {
  std::u16string path = kServicesPath + std::u16string(u"sample");
  UNICODE_STRING name;
  RtlInitUnicodeString(&name, reinterpret_cast<PCWSTR>(path.c_str()));
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, nullptr, nullptr);
  std::vector<HANDLE> handles(kMaxHandles);
  for (HANDLE& handle : handles) ASSERT_EQ(ZwOpenKey(&handle, KEY_READ, &attributes), STATUS_SUCCESS);
  HANDLE one_more = nullptr;
  EXPECT_EQ(ZwOpenKey(&one_more, KEY_READ, &attributes), STATUS_INSUFFICIENT_RESOURCES);
  EXPECT_EQ(ZwClose(handles.back()), STATUS_SUCCESS);
  EXPECT_EQ(ZwOpenKey(&one_more, KEY_READ, &attributes), STATUS_SUCCESS);
  EXPECT_NE(one_more, handles.back());  // the slot again, but another handle
  handles.back() = one_more;
  for (HANDLE handle : handles) EXPECT_EQ(ZwClose(handle), STATUS_SUCCESS);
  EXPECT_EQ(kernel->handles().open_count(), 0u);
}

TEST_F(Bounds, ThreadWithoutAHandleDoesNotRun) {
  std::vector<HANDLE> handles;
  for (std::size_t i = 0; i < kMaxHandles; ++i) handles.push_back(*kernel->handles().open(RegistryKey{}));
  HANDLE thread = nullptr;
  runs = 0;
  EXPECT_EQ(PsCreateSystemThread(
                &thread, 0, nullptr, nullptr, nullptr, [](PVOID) { ++runs; }, nullptr),
            STATUS_INSUFFICIENT_RESOURCES);
  EXPECT_EQ(thread, nullptr);
  EXPECT_THAT(scheduler().threads_of(ledger::kNoDriver), ::testing::IsEmpty());
  for (HANDLE handle : handles) kernel->handles().close(handle);
  EXPECT_EQ(join(start_thread([](PVOID) { ++runs; }, nullptr)), STATUS_SUCCESS);
  EXPECT_EQ(runs, 1u);
}

void start_without_memory_for_a_stack() {
  VirtualClock clock;
  Kernel kernel(std::make_unique<RealScheduler>(clock));
  const rlimit none{1 << 20, RLIM_INFINITY};
  setrlimit(RLIMIT_AS, &none);
  const bool refused = kernel.scheduler().start_thread("one too many", ledger::kNoDriver, [] {}) == nullptr;
  std::_Exit(refused && kernel.scheduler().counts().threads_refused == 1 ? 0 : 1);
}

TEST(BoundsDeathTest, ThreadThatTheSystemRefusesIsAFailure) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  if (app::has_sanitizer()) GTEST_SKIP() << "a sanitizer needs far more address space";
  EXPECT_EXIT(start_without_memory_for_a_stack(), ::testing::ExitedWithCode(0), "");
}

TEST_F(Bounds, RegistryValues) {
  Registry& registry = kernel->registry();
  for (std::size_t i = 0; i < kMaxRegistryValues; ++i) EXPECT_TRUE(registry.set("sample", std::to_string(i), "1"));
  EXPECT_FALSE(registry.set("sample", "one more", "1"));
  EXPECT_TRUE(registry.set("SAMPLE", "0", "2"));  // one that exists takes a new value
  EXPECT_EQ(registry.get("sample", "0")->data[0], 2);
  EXPECT_FALSE(registry.set("", "name", "1"));
  EXPECT_FALSE(registry.set("sample", "", "1"));
  registry.erase("Sample");  // goes with its driver, and makes room
  EXPECT_FALSE(registry.get("sample", "0"));
  EXPECT_TRUE(registry.set("sampler", "0", "1"));
  registry.erase("sample");
  EXPECT_TRUE(registry.get("sampler", "0")) << "another driver, whose name begins alike";
}

}  // namespace
}  // namespace wfp::kernel
