#include <array>
#include <vector>

#include "kernel_fixture.hpp"

namespace wfp::kernel {
namespace {

using ::testing::HasSubstr;

constexpr ULONG kTag = 0x74736574;

class Lookaside : public BothSchedulers {};
INSTANTIATE_BOTH(Lookaside);

TEST_P(Lookaside, AnSListIsLastInFirstOutAndCounts) {
  SLIST_HEADER head{};  // zero bytes are an empty list
  std::array<SLIST_ENTRY, 3> entries{};
  EXPECT_EQ(InterlockedPopEntrySList(&head), nullptr);
  EXPECT_EQ(InterlockedPushEntrySList(&head, &entries[0]), nullptr);
  EXPECT_EQ(InterlockedPushEntrySList(&head, &entries[1]), &entries[0]);
  EXPECT_EQ(ExQueryDepthSList(&head), 2);
  EXPECT_EQ(head.HeaderX64.NextEntry << 4, reinterpret_cast<ULONGLONG>(&entries[1]));
  EXPECT_EQ(InterlockedPopEntrySList(&head), &entries[1]);
  InterlockedPushEntrySList(&head, &entries[2]);
  EXPECT_EQ(InterlockedFlushSList(&head), &entries[2]);
  EXPECT_EQ(entries[2].Next, &entries[0]);
  EXPECT_EQ(ExQueryDepthSList(&head), 0);
  InterlockedPushEntrySList(&head, &entries[0]);
  InitializeSListHead(&head);
  EXPECT_EQ(InterlockedPopEntrySList(&head), nullptr);
}

struct Exchange {
  SLIST_HEADER head{};
  std::array<SLIST_ENTRY, 8> entries{};
};
VOID pop_and_push(PVOID context) {
  auto& shared = *static_cast<Exchange*>(context);
  for (int i = 0; i < 5000; ++i) {
    PSLIST_ENTRY first = InterlockedPopEntrySList(&shared.head);
    PSLIST_ENTRY second = InterlockedPopEntrySList(&shared.head);
    EXPECT_TRUE(first != second || first == nullptr);
    if (i % 100 == 0) Kernel::current().scheduler().preemption_point();
    if (first != nullptr) InterlockedPushEntrySList(&shared.head, first);
    if (second != nullptr) InterlockedPushEntrySList(&shared.head, second);
  }
}
TEST_P(Lookaside, AnSListKeepsEveryEntryAmongFourThreads) {
  Exchange shared;
  for (auto& entry : shared.entries) InterlockedPushEntrySList(&shared.head, &entry);
  std::vector<HANDLE> threads;
  for (int i = 0; i < 4; ++i) threads.push_back(start_thread(pop_and_push, &shared));
  for (HANDLE thread : threads) EXPECT_EQ(join(thread), STATUS_SUCCESS);
  EXPECT_EQ(ExQueryDepthSList(&shared.head), shared.entries.size());
  std::size_t left = 0;
  for (PSLIST_ENTRY entry = InterlockedFlushSList(&shared.head); entry != nullptr; entry = entry->Next) ++left;
  EXPECT_EQ(left, shared.entries.size());
}

// What the compiler makes of ExAllocateFromNPagedLookasideList and its opposite inside a driver.
PVOID allocate_inline(NPAGED_LOOKASIDE_LIST& list) {
  ++list.L.TotalAllocates;
  if (PVOID block = ExpInterlockedPopEntrySList(&list.L.ListHead); block != nullptr) return block;
  ++list.L.AllocateMisses;
  return list.L.Allocate(list.L.Type, list.L.Size, list.L.Tag);
}
void free_inline(NPAGED_LOOKASIDE_LIST& list, PVOID block) {
  ++list.L.TotalFrees;
  if (ExQueryDepthSList(&list.L.ListHead) >= list.L.Depth) {
    ++list.L.FreeMisses;
    list.L.Free(block);
  } else {
    ExpInterlockedPushEntrySList(&list.L.ListHead, static_cast<PSLIST_ENTRY>(block));
  }
}

TEST_P(Lookaside, InlinedCodeAndRoutinesShareOneList) {
  for (const auto level : {ledger::Level::off, ledger::Level::standard}) {
    ledger::set_level(level);
    const bool keeps = level == ledger::Level::off;
    NPAGED_LOOKASIDE_LIST list;
    ExInitializeNPagedLookasideList(&list, nullptr, nullptr, 0, 40, kTag, 1);
    PVOID first = allocate_inline(list);
    PVOID second = ExAllocateFromNPagedLookasideList(&list);
    EXPECT_EQ(kernel->pool().bytes_in_use(), 80u);
    free_inline(list, first);
    ExFreeToNPagedLookasideList(&list, second);  // one too many for the depth
    EXPECT_EQ(kernel->pool().bytes_in_use(), keeps ? 40u : 0u);
    if (keeps) {
      EXPECT_EQ(ExAllocateFromNPagedLookasideList(&list), first);
      ExFreeToNPagedLookasideList(&list, first);
      EXPECT_EQ(allocate_inline(list), first);
      free_inline(list, first);
    }
    EXPECT_EQ(list.L.TotalFrees - list.L.FreeMisses, keeps ? 3u : 0u);
    ExDeleteNPagedLookasideList(&list);
    EXPECT_EQ(kernel->pool().bytes_in_use(), 0u);
  }
}

std::size_t allocated = 0, freed = 0;
PVOID count_allocation(POOL_TYPE type, SIZE_T size, ULONG tag) {
  ++allocated;
  return ExAllocatePoolWithTag(type, size, tag);
}
VOID count_free(PVOID block) {
  ++freed;
  ExFreePoolWithTag(block, kTag);
}
PVOID count_allocation_ex(POOL_TYPE type, SIZE_T size, ULONG tag, PLOOKASIDE_LIST_EX list) {
  EXPECT_EQ(list->L.Size, size);
  return count_allocation(type, size, tag);
}
VOID count_free_ex(PVOID block, PLOOKASIDE_LIST_EX) { count_free(block); }

TEST_P(Lookaside, IsDeletedOnce) {
  const ledger::DriverScope scope(driver);
  NPAGED_LOOKASIDE_LIST list;
  ExInitializeNPagedLookasideList(&list, nullptr, nullptr, 0, 24, kTag, 0);
  ExDeleteNPagedLookasideList(&list);
  EXPECT_THAT(ledger::take_rules(), ::testing::IsEmpty());
  ExDeleteNPagedLookasideList(&list);
  EXPECT_THAT(ledger::take_rules(), ::testing::ElementsAre("OBJECT-NOT-INITIALIZED"));
  LOOKASIDE_LIST_EX never{};
  ExDeleteLookasideListEx(&never);
  EXPECT_THAT(ledger::take_rules(), ::testing::ElementsAre("OBJECT-NOT-INITIALIZED"));
}

TEST_P(Lookaside, RoutinesOfTheDriverMakeAndTakeTheBlocks) {
  ledger::set_level(ledger::Level::off);
  allocated = freed = 0;
  NPAGED_LOOKASIDE_LIST list;
  ExInitializeNPagedLookasideList(&list, count_allocation, count_free, 0, 24, kTag, 0);
  ExFreeToNPagedLookasideList(&list, ExAllocateFromNPagedLookasideList(&list));
  ExDeleteNPagedLookasideList(&list);
  EXPECT_EQ(allocated, 1u);
  EXPECT_EQ(freed, 1u);
  LOOKASIDE_LIST_EX list_ex;
  EXPECT_EQ(ExInitializeLookasideListEx(&list_ex, count_allocation_ex, count_free_ex, PagedPool, 0, 24, kTag, 0),
            STATUS_SUCCESS);
  ExFreeToLookasideListEx(&list_ex, ExAllocateFromLookasideListEx(&list_ex));
  ExDeleteLookasideListEx(&list_ex);
  EXPECT_EQ(allocated, 2u);
  EXPECT_EQ(freed, 2u);
  EXPECT_EQ(ExInitializeLookasideListEx(&list_ex, nullptr, nullptr, PagedPool, 0, SIZE_T{1} << 32, kTag, 0),
            STATUS_INVALID_PARAMETER);
}

}  // namespace
}  // namespace wfp::kernel
