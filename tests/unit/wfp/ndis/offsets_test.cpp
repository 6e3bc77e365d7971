// Retreat and advance: in the used space, beyond it, with the driver's own allocator, over all NET_BUFFERs.
#include "wfp/ndis/offsets.hpp"

#include "fixture.hpp"
#include "wfp/ndis/clone.hpp"

namespace wfp::ndis {
namespace {

using OffsetsTest = NdisTest;

int allocated = 0;
int freed = 0;
char driver_memory[256];

MDL* allocate_mdl(ULONG* size) {
  ++allocated;
  return NdisAllocateMdl(nullptr, driver_memory, *size);
}
void free_mdl(MDL* mdl) {
  ++freed;
  NdisFreeMdl(mdl);
}

TEST_F(OffsetsTest, RetreatShowsWhatWasAdvancedOver) {
  NET_BUFFER_LIST* const nbl = make("headerbody");
  advance(*nbl, 6);
  EXPECT_EQ(text_of(*nbl), "body");
  EXPECT_TRUE(retreat(*nbl, 6));
  EXPECT_EQ(text_of(*nbl), "headerbody");
  EXPECT_EQ(mdl_count(*nbl), 1u);
  expect_consistent(*nbl);
  release(*nbl);
}

TEST_F(OffsetsTest, RetreatBeyondTheUsedSpaceAddsAnMdlAndAdvanceFreesIt) {
  NET_BUFFER_LIST* const nbl = make("body", 4);
  ASSERT_EQ(NdisRetreatNetBufferDataStart(nbl->FirstNetBuffer, 20, 8, nullptr), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(nbl->FirstNetBuffer->DataLength, 24u);
  EXPECT_EQ(nbl->FirstNetBuffer->DataOffset, 8u);
  EXPECT_EQ(mdl_count(*nbl), 2u);
  expect_consistent(*nbl);
  NdisAdvanceNetBufferDataStart(nbl->FirstNetBuffer, 20, TRUE, nullptr);
  EXPECT_EQ(mdl_count(*nbl), 1u);
  EXPECT_EQ(nbl->FirstNetBuffer->DataOffset, 4u);
  EXPECT_EQ(text_of(*nbl), "body");
  expect_consistent(*nbl);
  release(*nbl);
}

TEST_F(OffsetsTest, AdvanceWithoutFreeKeepsTheAddedMdl) {
  NET_BUFFER_LIST* const nbl = make("body", 0);
  retreat(*nbl, 20);
  advance(*nbl, 20);
  EXPECT_EQ(mdl_count(*nbl), 2u);
  EXPECT_EQ(nbl->FirstNetBuffer->DataOffset, 20u);
  expect_consistent(*nbl);
  EXPECT_TRUE(retreat(*nbl, 20));  // into the same MDL again
  EXPECT_EQ(mdl_count(*nbl), 2u);
  release(*nbl);
}

TEST_F(OffsetsTest, AdvanceNeverFreesAnOriginalMdl) {
  NET_BUFFER_LIST* const nbl = make("ab", 0);
  trim(*nbl, 2);
  append(*nbl, block_of_text("cd"), 0, 2);
  advance(*nbl, 3, true);
  EXPECT_EQ(mdl_count(*nbl), 2u);
  EXPECT_EQ(text_of(*nbl), "d");
  retreat(*nbl, 3);
  EXPECT_EQ(text_of(*nbl), "abcd");
  release(*nbl);
}

TEST_F(OffsetsTest, DriversAllocatorIsUsedForBothWays) {
  allocated = freed = 0;
  NET_BUFFER_LIST* const nbl = make("body", 0);
  {
    const ledger::DriverScope scope(driver_);
    ASSERT_EQ(NdisRetreatNetBufferListDataStart(nbl, 14, 0, allocate_mdl, free_mdl), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(ledger::alive_count(driver_, ledger::Kind::mdl), 1u);
    NdisAdvanceNetBufferListDataStart(nbl, 14, TRUE, free_mdl);
  }
  EXPECT_EQ(allocated, 1);
  EXPECT_EQ(freed, 1);
  expect_consistent(*nbl);
  release(*nbl);
}

// The second buffer gets no memory: the first one is put back.
TEST_F(OffsetsTest, RetreatOfAListIsAllOrNothing) {
  allocated = freed = 0;
  NET_BUFFER_LIST* const nbl = make("first", 0);
  NET_BUFFER_LIST* const other = make("second", 0);
  nbl->FirstNetBuffer->Next = other->FirstNetBuffer;
  const auto once = [](PULONG size) { return allocated == 0 ? allocate_mdl(size) : nullptr; };
  EXPECT_EQ(NdisRetreatNetBufferListDataStart(nbl, 8, 0, once, free_mdl), NDIS_STATUS_RESOURCES);
  EXPECT_EQ(allocated, 1);
  EXPECT_EQ(freed, 1);
  EXPECT_EQ(text_of(*nbl), "first");
  EXPECT_EQ(text_of(*other), "second");
  nbl->FirstNetBuffer->Next = nullptr;
  release(*nbl);
  release(*other);
}

TEST_F(OffsetsTest, AdvancePastTheEndStopsThere) {
  NET_BUFFER_LIST* const nbl = make("body");
  advance(*nbl, 100);
  EXPECT_EQ(data_length(*nbl), 0u);
  EXPECT_TRUE(retreat(*nbl, 4));
  EXPECT_EQ(text_of(*nbl), "body");
  release(*nbl);
}

TEST_F(OffsetsTest, DataBufferInPlaceCopiedOrRefused) {
  NET_BUFFER_LIST* const nbl = make("abcd");
  append(*nbl, block_of_text("efgh"), 0, 4);
  NET_BUFFER* const nb = nbl->FirstNetBuffer;
  char storage[8] = {};
  EXPECT_EQ(NdisGetDataBuffer(nb, 4, nullptr, 1, 0), contiguous(*nbl, 0, 4));
  EXPECT_EQ(NdisGetDataBuffer(nb, 6, nullptr, 1, 0), nullptr);
  EXPECT_EQ(NdisGetDataBuffer(nb, 6, storage, 1, 0), storage);
  EXPECT_EQ(std::string_view(storage, 6), "abcdef");
  EXPECT_EQ(NdisGetDataBuffer(nb, 9, storage, 1, 0), nullptr);
  EXPECT_EQ(NdisGetDataBuffer(nb, 0, storage, 1, 0), nullptr);
  advance(*nbl, 1);  // now odd
  EXPECT_EQ(NdisGetDataBuffer(nb, 2, storage, 4, 0), storage);
  EXPECT_EQ(NdisGetDataBuffer(nb, 2, storage, 4, 1), contiguous(*nbl, 0, 2));
  advance(*nbl, 1);  // half a word
  EXPECT_EQ(NdisGetDataBuffer(nb, 2, storage, 4, 0), storage);
  EXPECT_EQ(NdisGetDataBuffer(nb, 2, storage, 2, 0), contiguous(*nbl, 0, 2));
  release(*nbl);
}

TEST_F(OffsetsTest, CopyBetweenBuffersCrossesMdls) {
  NET_BUFFER_LIST* const from = make("abc");
  append(*from, block_of_text("def"), 0, 3);
  NET_BUFFER_LIST* const to = make("....");
  append(*to, block_of_text("...."), 0, 4);
  ULONG copied = 0;
  EXPECT_EQ(NdisCopyFromNetBufferToNetBuffer(to->FirstNetBuffer, 2, 5, from->FirstNetBuffer, 1, &copied),
            NDIS_STATUS_SUCCESS);
  EXPECT_EQ(copied, 5u);
  EXPECT_EQ(text_of(*to), "..bcdef.");
  EXPECT_EQ(NdisCopyFromNetBufferToNetBuffer(to->FirstNetBuffer, 1, 4, from->FirstNetBuffer, 0, &copied),
            NDIS_STATUS_SUCCESS);  // the source has more than is asked for
  EXPECT_EQ(copied, 4u);
  EXPECT_EQ(text_of(*to), ".abcdef.");
  EXPECT_EQ(NdisCopyFromNetBufferToNetBuffer(to->FirstNetBuffer, 6, 5, from->FirstNetBuffer, 0, &copied),
            NDIS_STATUS_SUCCESS);
  EXPECT_EQ(copied, 2u);
  release(*from);
  release(*to);
}

}  // namespace
}  // namespace wfp::ndis
