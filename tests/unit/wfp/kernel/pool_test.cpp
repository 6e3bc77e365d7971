#include "kernel_fixture.hpp"

#include "wfp/kernel/driver_object.hpp"
#include "wfp/kernel/pool_memory.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#endif

namespace wfp::kernel {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr ULONG kTag = 0x64636261;  // 'abcd' in memory order

class Pool : public KernelTest {
 protected:
  void SetUp() override { start(Mode::Real); }
};

TEST_F(Pool, AllocatesZeroedAlignedAndAccounted) {
  const ledger::DriverScope scope(driver);
  auto* bytes = static_cast<UCHAR*>(ExAllocatePool2(POOL_FLAG_NON_PAGED, 100, kTag));
  ASSERT_NE(bytes, nullptr);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes) % 16, 0u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(bytes[i], 0);
  EXPECT_EQ(kernel->pool().bytes_in_use(), 100u);
  EXPECT_EQ(ledger::alive_count(driver, ledger::Kind::pool_allocation), 1u);
  const auto leaks = PoolMemory::leaks(driver);
  ASSERT_EQ(leaks.size(), 1u);
  EXPECT_EQ(leaks[0].tag, "abcd");
  EXPECT_EQ(leaks[0].bytes, 100u);
  ExFreePoolWithTag(bytes, kTag);
  EXPECT_EQ(kernel->pool().bytes_in_use(), 0u);
  EXPECT_THAT(PoolMemory::leaks(driver), IsEmpty());
}

TEST_F(Pool, RefusesWhatTheDocumentationRefuses) {
  EXPECT_EQ(ExAllocatePool2(0, 10, kTag), nullptr);
  EXPECT_EQ(ExAllocatePool2(POOL_FLAG_NON_PAGED, 10, 0), nullptr);
  EXPECT_EQ(ExAllocatePool2(POOL_FLAG_NON_PAGED, 0, kTag), nullptr);
  kernel->pool().set_limit(1000);
  EXPECT_EQ(ExAllocatePoolWithTag(NonPagedPool, 1001, kTag), nullptr);
  EXPECT_EQ(ExAllocatePoolWithTag(NonPagedPool, ~SIZE_T{0} - 8, kTag), nullptr);
  EXPECT_EQ(kernel->pool().failures(), 2u);
  EXPECT_EQ(kernel->pool().bytes_in_use(), 0u);
  PVOID all = ExAllocatePoolWithTag(NonPagedPool, 1000, kTag);
  EXPECT_NE(all, nullptr);
  ExFreePool(all);
}

TEST_F(Pool, DoubleFreeIsNamedWithItsHistory) {
  const ledger::DriverScope scope(driver);
  PVOID memory = ExAllocatePoolZero(NonPagedPoolNx, 8, kTag);
  ExFreePoolWithTag(memory, kTag);
  ExFreePoolWithTag(memory, kTag);
  EXPECT_THAT(ledger::take_messages(),
              ElementsAre(HasSubstr("freed before, with tag 'abcd', allocated by testdriver")));
  int local = 0;
  ExFreePoolWithTag(&local, kTag);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("was it allocated from the pool?")));
}

TEST_F(Pool, DoubleFreeOutsideADriverIsNamedToo) {
  PVOID memory = ExAllocatePoolZero(NonPagedPoolNx, 8, kTag);
  ExFreePool(memory);
  ExFreePool(memory);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("allocated by no driver")));
}

TEST_F(Pool, WrongTagIsNamedAndTheBlockFreed) {
  const ledger::DriverScope scope(driver);
  ExFreePoolWithTag(ExAllocatePoolZero(NonPagedPoolNx, 8, kTag), 0x7a7a7a7a);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("freed with tag 'zzzz' but allocated with 'abcd'")));
  EXPECT_EQ(kernel->pool().bytes_in_use(), 0u);
}

#ifndef UNDER_ASAN  // there the sanitizer itself stops at the write
TEST_F(Pool, WritesOutsideAndAfterFreeAreNamed) {
  ledger::set_level(ledger::Level::full);
  const ledger::DriverScope scope(driver);
  auto* volatile past = static_cast<UCHAR*>(ExAllocatePoolZero(NonPagedPoolNx, 24, kTag));
  past[24] = 1;
  ExFreePool(past);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("past its end, first at offset 24")));
  auto* volatile before = static_cast<UCHAR*>(ExAllocatePoolZero(NonPagedPoolNx, 24, kTag));
  before[-1] = 1;
  ExFreePool(before);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("1 bytes before block")));
  auto* volatile after = static_cast<UCHAR*>(ExAllocatePoolZero(NonPagedPoolNx, 24, kTag));
  ExFreePool(after);
  after[5] = 7;  // still ours: in quarantine
  EXPECT_THAT(ledger::take_messages(), IsEmpty());
  for (std::size_t i = 0; i <= kQuarantineBytes / 65536; ++i)
    ExFreePool(ExAllocatePoolZero(NonPagedPoolNx, 65536, kTag));
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("written after it was freed, first at offset 5")));
}

// It is found when somebody else's frees push it out of the quarantine; the accused is who freed it.
TEST_F(Pool, WriteAfterFreeIsTheFreeingDriversFault) {
  ledger::set_level(ledger::Level::full);
  UCHAR* volatile after = nullptr;
  {
    const ledger::DriverScope scope(driver);
    after = static_cast<UCHAR*>(ExAllocatePoolZero(NonPagedPoolNx, 24, kTag));
    ExFreePool(after);
    after[0] = 7;
  }
  const ledger::DriverScope scope(ledger::add_driver("bystander"));
  for (std::size_t i = 0; i <= kQuarantineBytes / 65536; ++i)
    ExFreePool(ExAllocatePoolZero(NonPagedPoolNx, 65536, kTag));
  ASSERT_EQ(ledger::violations().size(), 1u);
  EXPECT_EQ(ledger::violations()[0].driver, driver);
  ledger::take_messages();
}

TEST_F(Pool, ASweepFindsWritesAfterFreeOfItsDriverAlone) {
  ledger::set_level(ledger::Level::full);
  const auto other = ledger::add_driver("another");
  const auto write_freed = [](ledger::DriverId whose) {
    const ledger::DriverScope scope(whose);
    auto* volatile after = static_cast<UCHAR*>(ExAllocatePoolZero(NonPagedPoolNx, 24, kTag));
    ExFreePool(after);
    after[3] = 7;
  };
  write_freed(driver);
  write_freed(other);
  Kernel::current().pool().sweep(driver);
  ASSERT_EQ(ledger::violations().size(), 1u);
  EXPECT_EQ(ledger::violations()[0].driver, driver);
  Kernel::current().pool().sweep(driver);
  EXPECT_EQ(ledger::violation_count(), 1u) << "what was looked at is gone";
  Kernel::current().pool().sweep(other);
  EXPECT_EQ(ledger::violation_count(), 2u);
  ledger::take_messages();
}

NTSTATUS NTAPI entry_that_writes_freed(PDRIVER_OBJECT, PUNICODE_STRING) {
  auto* volatile after = static_cast<UCHAR*>(ExAllocatePoolZero(NonPagedPoolNx, 24, kTag));
  ExFreePool(after);
  after[3] = 7;
  return STATUS_SUCCESS;
}

TEST_F(Pool, ADriverThatCannotBeUnloadedIsLookedAtWhenItIsTried) {
  ledger::set_level(ledger::Level::full);
  Driver without_unload("stays");
  ASSERT_EQ(without_unload.load(entry_that_writes_freed), STATUS_SUCCESS);
  EXPECT_FALSE(without_unload.unload().unloaded);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("written after it was freed, first at offset 3")));
}
#endif

TEST_F(Pool, FreeOfNothingIsNamedAndSurvived) {
  const ledger::DriverScope scope(driver);
  ExFreePool(nullptr);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("is no live pool block")));
  ledger::set_level(ledger::Level::off);
  ExFreePool(nullptr);
}

TEST_F(Pool, PagedPoolNeedsALowLevel) {
  const KIRQL level = KeRaiseIrqlToDpcLevel();
  PVOID paged = ExAllocatePoolZero(PagedPool, 8, kTag);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("ExAllocatePoolZero was called at DISPATCH_LEVEL")));
  ExFreePool(paged);
  KeLowerIrql(level);
}

TEST_F(Pool, LookasideListKeepsBlocksWithoutTheVerifier) {
  for (const auto level : {ledger::Level::off, ledger::Level::standard}) {
    ledger::set_level(level);
    LOOKASIDE_LIST_EX list;
    ExInitializeLookasideListEx(&list, nullptr, nullptr, NonPagedPoolNx, 0, 40, kTag, 0);
    PVOID first = ExAllocateFromLookasideListEx(&list);
    ExFreeToLookasideListEx(&list, first);
    EXPECT_EQ(kernel->pool().bytes_in_use(), level == ledger::Level::off ? 40u : 0u);
    PVOID second = ExAllocateFromLookasideListEx(&list);
    if (level == ledger::Level::off) {
      EXPECT_EQ(second, first);
    }
    ExFreeToLookasideListEx(&list, second);
    ExDeleteLookasideListEx(&list);
    EXPECT_EQ(kernel->pool().bytes_in_use(), 0u);
  }
}

TEST_F(Pool, InterlockedLists) {
  LIST_ENTRY head, a, b;
  KSPIN_LOCK lock = 0;
  InitializeListHead(&head);
  EXPECT_EQ(ExInterlockedRemoveHeadList(&head, &lock), nullptr);
  EXPECT_EQ(ExInterlockedInsertTailList(&head, &a, &lock), nullptr);
  EXPECT_EQ(ExInterlockedInsertHeadList(&head, &b, &lock), &a);
  EXPECT_EQ(ExInterlockedRemoveHeadList(&head, &lock), &b);
  EXPECT_EQ(ExInterlockedRemoveHeadList(&head, &lock), &a);
  EXPECT_TRUE(IsListEmpty(&head));
}

class Sync : public BothSchedulers {};
INSTANTIATE_BOTH(Sync);

struct Guarded {
  EX_RUNDOWN_REF ref;
  KEVENT holds;
  KEVENT let_go;
};
VOID hold(PVOID context) {
  auto& guarded = *static_cast<Guarded*>(context);
  EXPECT_TRUE(ExAcquireRundownProtection(&guarded.ref));
  KeSetEvent(&guarded.holds, 0, FALSE);
  KeWaitForSingleObject(&guarded.let_go, Executive, KernelMode, FALSE, nullptr);
  ExReleaseRundownProtection(&guarded.ref);
}
VOID run_down(PVOID context) {
  auto& guarded = *static_cast<Guarded*>(context);
  ExWaitForRundownProtectionRelease(&guarded.ref);
  EXPECT_FALSE(ExAcquireRundownProtection(&guarded.ref));
}

TEST_P(Sync, RundownWaitsForHoldersAndAdmitsNobodyAfter) {
  Guarded guarded;
  ExInitializeRundownProtection(&guarded.ref);
  KeInitializeEvent(&guarded.holds, NotificationEvent, FALSE);
  KeInitializeEvent(&guarded.let_go, NotificationEvent, FALSE);
  HANDLE holder = start_thread(hold, &guarded);
  EXPECT_EQ(KeWaitForSingleObject(&guarded.holds, Executive, KernelMode, FALSE, nullptr), STATUS_SUCCESS);
  HANDLE waiter = start_thread(run_down, &guarded);
  LARGE_INTEGER soon = relative(std::chrono::milliseconds(3));
  void* waiter_object = nullptr;
  ObReferenceObjectByHandle(waiter, 0, nullptr, KernelMode, &waiter_object, nullptr);
  EXPECT_EQ(KeWaitForSingleObject(waiter_object, Executive, KernelMode, FALSE, &soon), STATUS_TIMEOUT);
  KeSetEvent(&guarded.let_go, 0, FALSE);
  ObDereferenceObject(waiter_object);
  EXPECT_EQ(join(holder), STATUS_SUCCESS);
  EXPECT_EQ(join(waiter), STATUS_SUCCESS);
  ExReleaseRundownProtection(&guarded.ref);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("nobody holds")));
}

struct Shared {
  ERESOURCE resource;
  std::atomic<int> readers{0}, most_readers{0}, writers{0};
};
VOID read_and_write(PVOID context) {
  auto& shared = *static_cast<Shared*>(context);
  for (int i = 0; i < 200; ++i) {
    if (i % 5 == 0) {
      ExAcquireResourceExclusiveLite(&shared.resource, TRUE);
      ExAcquireResourceSharedLite(&shared.resource, TRUE);  // its owner may go deeper
      EXPECT_EQ(++shared.writers, 1);
      EXPECT_EQ(shared.readers, 0);
      --shared.writers;
      ExReleaseResourceLite(&shared.resource);
    } else {
      ExAcquireResourceSharedLite(&shared.resource, TRUE);
      ++shared.readers;
      EXPECT_EQ(shared.writers, 0);
      Kernel::current().scheduler().preemption_point();
      --shared.readers;
    }
    ExReleaseResourceLite(&shared.resource);
  }
}

TEST_P(Sync, ResourceReleasedByAStrangerIsNamedAndStaysHeld) {
  ERESOURCE resource;
  ExInitializeResourceLite(&resource);
  ExReleaseResourceLite(&resource);
  ExAcquireResourceExclusiveLite(&resource, TRUE);
  HANDLE thread =
      start_thread([](PVOID context) { ExReleaseResourceLite(static_cast<PERESOURCE>(context)); }, &resource);
  EXPECT_EQ(join(thread), STATUS_SUCCESS);
  ASSERT_EQ(ledger::violations().size(), 1u);
  EXPECT_EQ(ledger::violations()[0].count, 2u);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("is not held by this thread")));
  EXPECT_EQ(resource.ActiveCount, -1);
  ExReleaseResourceLite(&resource);
  EXPECT_EQ(resource.ActiveCount, 0);
}

TEST_P(Sync, ResourceHasManyReadersOrOneWriter) {
  Shared shared;
  ExInitializeResourceLite(&shared.resource);
  std::vector<HANDLE> threads;
  for (int i = 0; i < 4; ++i) threads.push_back(start_thread(read_and_write, &shared));
  for (HANDLE thread : threads) EXPECT_EQ(join(thread), STATUS_SUCCESS);
  EXPECT_EQ(shared.resource.ActiveCount, 0);
  EXPECT_EQ(ExDeleteResourceLite(&shared.resource), STATUS_SUCCESS);
}

}  // namespace
}  // namespace wfp::kernel
