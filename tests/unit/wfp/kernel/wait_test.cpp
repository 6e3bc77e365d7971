#include "kernel_fixture.hpp"

namespace wfp::kernel {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Wait : public BothSchedulers {};
INSTANTIATE_BOTH(Wait);

NTSTATUS wait_on(void* object, Duration time) {
  LARGE_INTEGER timeout = relative(time);
  return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, &timeout);
}

TEST_P(Wait, NotificationEventStaysSignalled) {
  KEVENT event;
  KeInitializeEvent(&event, NotificationEvent, FALSE);
  EXPECT_EQ(wait_on(&event, 0ns), STATUS_TIMEOUT);
  EXPECT_EQ(wait_on(&event, 2ms), STATUS_TIMEOUT);
  EXPECT_EQ(KeSetEvent(&event, IO_NO_INCREMENT, FALSE), 0);
  EXPECT_EQ(KeReadStateEvent(&event), 1);
  EXPECT_EQ(wait_on(&event, 0ns), STATUS_SUCCESS);
  EXPECT_EQ(wait_on(&event, 2ms), STATUS_SUCCESS);
  EXPECT_EQ(KeResetEvent(&event), 1);
  EXPECT_EQ(wait_on(&event, 0ns), STATUS_TIMEOUT);
}

TEST_P(Wait, SynchronizationEventLetsOneThrough) {
  KEVENT event;
  KeInitializeEvent(&event, SynchronizationEvent, TRUE);
  EXPECT_EQ(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, nullptr), STATUS_SUCCESS);
  EXPECT_EQ(wait_on(&event, 0ns), STATUS_TIMEOUT);
  EXPECT_EQ(KeSetEvent(&event, 0, FALSE), 0);
  EXPECT_EQ(KeSetEvent(&event, 0, FALSE), 1);
  EXPECT_EQ(wait_on(&event, 1ms), STATUS_SUCCESS);
  KeClearEvent(&event);
  EXPECT_EQ(wait_on(&event, 1ms), STATUS_TIMEOUT);
}

struct Herd {
  KEVENT go, one;
  std::atomic<int> through_go{0}, through_one{0};
};

VOID herd_member(PVOID context) {
  auto& herd = *static_cast<Herd*>(context);
  KeWaitForSingleObject(&herd.go, Executive, KernelMode, FALSE, nullptr);
  ++herd.through_go;
  KeWaitForSingleObject(&herd.one, Executive, KernelMode, FALSE, nullptr);
  ++herd.through_one;
}

TEST_P(Wait, NotificationWakesAllSynchronizationWakesOne) {
  Herd herd;
  KeInitializeEvent(&herd.go, NotificationEvent, FALSE);
  KeInitializeEvent(&herd.one, SynchronizationEvent, FALSE);
  std::vector<HANDLE> threads;
  for (int i = 0; i < 3; ++i) threads.push_back(start_thread(herd_member, &herd));
  KeSetEvent(&herd.go, 0, FALSE);
  serve_until([&] { return herd.through_go == 3; });
  EXPECT_EQ(herd.through_one, 0);
  for (int i = 1; i <= 3; ++i) {
    KeSetEvent(&herd.one, 0, FALSE);
    serve_until([&] { return herd.through_one == i; });
  }
  for (HANDLE thread : threads) EXPECT_EQ(join(thread), STATUS_SUCCESS);
}

TEST_P(Wait, MultipleObjectsAnyAndAll) {
  KEVENT a, b;
  KeInitializeEvent(&a, SynchronizationEvent, FALSE);
  KeInitializeEvent(&b, SynchronizationEvent, TRUE);
  PVOID both[] = {&a, &b};
  LARGE_INTEGER soon = relative(1ms);
  const auto wait = [&](WAIT_TYPE type) {
    return KeWaitForMultipleObjects(2, both, type, Executive, KernelMode, FALSE, &soon, nullptr);
  };
  EXPECT_EQ(wait(WaitAll), STATUS_TIMEOUT);
  EXPECT_EQ(KeReadStateEvent(&b), 1);  // a wait for all takes nothing unless it gets all
  EXPECT_EQ(wait(WaitAny), STATUS_WAIT_0 + 1);
  EXPECT_EQ(wait(WaitAny), STATUS_TIMEOUT);
  KeSetEvent(&a, 0, FALSE);
  KeSetEvent(&b, 0, FALSE);
  EXPECT_EQ(wait(WaitAll), STATUS_SUCCESS);
  EXPECT_EQ(KeReadStateEvent(&a) + KeReadStateEvent(&b), 0);
  EXPECT_EQ(KeWaitForMultipleObjects(4, both, WaitAny, Executive, KernelMode, FALSE, &soon, nullptr),
            STATUS_INVALID_PARAMETER);
}

TEST_P(Wait, SemaphoreCountsAndMutexIsOwned) {
  KSEMAPHORE semaphore;
  KeInitializeSemaphore(&semaphore, 1, 2);
  EXPECT_EQ(KeReleaseSemaphore(&semaphore, 0, 1, FALSE), 1);
  EXPECT_EQ(wait_on(&semaphore, 0ns), STATUS_SUCCESS);
  EXPECT_EQ(wait_on(&semaphore, 0ns), STATUS_SUCCESS);
  EXPECT_EQ(wait_on(&semaphore, 0ns), STATUS_TIMEOUT);
  KeReleaseSemaphore(&semaphore, 0, 3, FALSE);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("would exceed the limit 2")));
  EXPECT_EQ(KeReleaseSemaphore(&semaphore, 0, 1, FALSE), 0);
  EXPECT_EQ(KeReleaseSemaphore(&semaphore, 0, 2, FALSE), 1);  // one is there already
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("2 more would exceed the limit 2")));
  EXPECT_EQ(KeReadStateSemaphore(&semaphore), 1);
  KMUTEX mutex;
  KeInitializeMutex(&mutex, 0);
  EXPECT_EQ(wait_on(&mutex, 0ns), STATUS_SUCCESS);
  EXPECT_EQ(wait_on(&mutex, 0ns), STATUS_SUCCESS);  // its owner may take it again
  KeReleaseMutex(&mutex, FALSE);
  KeReleaseMutex(&mutex, FALSE);
  KeReleaseMutex(&mutex, FALSE);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("does not own it")));
}

TEST_P(Wait, AtDispatchLevelIsReportedAndDoesNotBlock) {
  KEVENT event;
  KeInitializeEvent(&event, NotificationEvent, FALSE);
  KIRQL before;
  KeRaiseIrql(DISPATCH_LEVEL, &before);
  EXPECT_EQ(wait_on(&event, 1ms), STATUS_UNSUCCESSFUL);
  EXPECT_EQ(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, nullptr), STATUS_UNSUCCESSFUL);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("KeWaitForSingleObject was called at DISPATCH_LEVEL")));
  EXPECT_EQ(wait_on(&event, 0ns), STATUS_TIMEOUT);  // a look without waiting is allowed
  KeLowerIrql(before);
}

TEST_P(Wait, UninitializedObjectIsNamed) {
  KEVENT event{};
  EXPECT_EQ(wait_on(&event, 1ms), STATUS_INVALID_PARAMETER);
  KeSetEvent(&event, 0, FALSE);
  EXPECT_EQ(ledger::take_messages().size(), 2u);
}

TEST_P(Wait, DelayPassesTime) {
  const Instant before = scheduler().now();
  LARGE_INTEGER delay = relative(5ms);
  EXPECT_EQ(KeDelayExecutionThread(KernelMode, FALSE, &delay), STATUS_SUCCESS);
  EXPECT_GE(scheduler().now() - before, 5ms);
}

VOID ends_itself(PVOID) { PsTerminateSystemThread(STATUS_CANCELLED); }

// A reference to something that is no thread is not counted and changes nothing in it.
TEST_P(Wait, OnlyThreadsAreCountedObjects) {
  struct {
    KEVENT event;
    char behind[256];
  } object{};
  KeInitializeEvent(&object.event, NotificationEvent, FALSE);
  ObReferenceObject(&object.event);
  ObDereferenceObject(&object.event);
  for (const char byte : object.behind) EXPECT_EQ(byte, 0);
  EXPECT_EQ(KeReadStateEvent(&object.event), 0);
}

TEST_P(Wait, HandleOfAnEndedThreadStillGivesItsObject) {
  HANDLE handle = start_thread(ends_itself, nullptr);
  PVOID object = nullptr;
  ASSERT_EQ(ObReferenceObjectByHandle(handle, 0, *PsThreadType, KernelMode, &object, nullptr), STATUS_SUCCESS);
  EXPECT_EQ(KeWaitForSingleObject(object, Executive, KernelMode, FALSE, nullptr), STATUS_SUCCESS);
  ObDereferenceObject(object);
  ASSERT_EQ(ObReferenceObjectByHandle(handle, 0, nullptr, KernelMode, &object, nullptr), STATUS_SUCCESS);
  EXPECT_EQ(ZwClose(handle), STATUS_SUCCESS);
  EXPECT_EQ(ObReferenceObjectByHandle(handle, 0, nullptr, KernelMode, &object, nullptr), STATUS_INVALID_HANDLE);
  ObDereferenceObject(object);
}

TEST_P(Wait, ThreadIsJoinedThroughItsObject) {
  HANDLE handle = start_thread(ends_itself, nullptr);
  EXPECT_EQ(join(handle), STATUS_SUCCESS);
  EXPECT_EQ(ZwClose(handle), STATUS_INVALID_HANDLE);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("ZwClose")));
  EXPECT_EQ(kernel->handles().open_count(), 0u);
}

}  // namespace
}  // namespace wfp::kernel
