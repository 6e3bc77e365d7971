// Walking, sharing, joining and cutting MDL chains.
#include "wfp/ndis/chain.hpp"

#include "fixture.hpp"
#include "wfp/ndis/clone.hpp"
#include "wfp/ndis/offsets.hpp"

namespace wfp::ndis {
namespace {

using testing::ElementsAre;

using ChainTest = NdisTest;

std::vector<std::string> ranges_of(const NET_BUFFER_LIST& nbl) {
  std::vector<std::string> ranges;
  for_each_range(nbl, [&](std::span<std::byte> range) {
    ranges.emplace_back(reinterpret_cast<const char*>(range.data()), range.size());
  });
  return ranges;
}

TEST_F(ChainTest, AppendedBlocksFollowTheDataAndAreHeld) {
  NET_BUFFER_LIST* const nbl = make("head");
  const BlockRef block = block_of_text("..body..");
  EXPECT_TRUE(append(*nbl, block, 2, 4));
  EXPECT_TRUE(append(*nbl, block_of_text("tail"), 0, 4));
  EXPECT_EQ(block->reference_count(), 2u);
  EXPECT_THAT(ranges_of(*nbl), ElementsAre("head", "body", "tail"));
  EXPECT_TRUE(is_shared(*nbl));
  expect_consistent(*nbl);
  EXPECT_FALSE(append(*nbl, block, 6, 3));  // beyond the block
  release(*nbl);
  EXPECT_EQ(block->reference_count(), 1u);
}

TEST_F(ChainTest, HeadersArePushedInFrontOfAppendedPayload) {
  NET_BUFFER_LIST* const nbl = pool_.allocate(kHeadroom, 0);
  append(*nbl, block_of_text("payload"), 0, 7);
  std::byte* const header = push(*nbl, 20);
  ASSERT_NE(header, nullptr);
  std::fill_n(header, 20, std::byte{'h'});
  EXPECT_EQ(text_of(*nbl), std::string(20, 'h') + "payload");
  EXPECT_EQ(mdl_count(*nbl), 2u);  // the packet's own headroom was used
  ASSERT_NE(push(*nbl, 20), nullptr);
  EXPECT_EQ(mdl_count(*nbl), 2u);
  expect_consistent(*nbl);
  release(*nbl);
}

TEST_F(ChainTest, PushWithoutRoomTakesNewMemory) {
  NET_BUFFER_LIST* const nbl = make("data", 4);
  std::byte* const header = push(*nbl, 8);
  ASSERT_NE(header, nullptr);
  std::fill_n(header, 8, std::byte{'h'});
  EXPECT_EQ(text_of(*nbl), "hhhhhhhhdata");
  EXPECT_EQ(contiguous(*nbl, 0, 8), header);
  expect_consistent(*nbl);
  release(*nbl);
}

TEST_F(ChainTest, PushNeverWritesIntoSharedHeadroom) {
  NET_BUFFER_LIST* const nbl = make("IPdata");
  advance(*nbl, 2);
  NET_BUFFER_LIST* const copy = clone(*nbl, pool_);
  std::fill_n(push(*copy, 2), 2, std::byte{'#'});
  EXPECT_EQ(text_of(*copy), "##data");
  retreat(*nbl, 2);
  EXPECT_EQ(text_of(*nbl), "IPdata");
  expect_consistent(*copy);
  free_clone(*copy);
  release(*nbl);
}

TEST_F(ChainTest, PushNeverWritesWhatAReferenceMaySee) {
  NET_BUFFER_LIST* const nbl = make("IPdata");
  const std::byte* const headroom = contiguous(*nbl, 0, 2);
  advance(*nbl, 2);
  reference(*nbl);
  EXPECT_NE(push(*nbl, 2), headroom);
  release(*nbl);
  EXPECT_EQ(std::to_integer<char>(headroom[0]), 'I');
  release(*nbl);
}

TEST_F(ChainTest, ContiguousOnlyWithinOneMdl) {
  NET_BUFFER_LIST* const nbl = make("abcd");
  append(*nbl, block_of_text("efgh"), 0, 4);
  EXPECT_NE(contiguous(*nbl, 0, 4), nullptr);
  EXPECT_NE(contiguous(*nbl, 4, 4), nullptr);
  EXPECT_NE(contiguous(*nbl, 8, 0), nullptr);
  EXPECT_EQ(contiguous(*nbl, 3, 2), nullptr);
  EXPECT_EQ(contiguous(*nbl, 4, 5), nullptr);
  release(*nbl);
}

TEST_F(ChainTest, CopiesStopAtTheEndOfTheData) {
  NET_BUFFER_LIST* const nbl = make("abcd");
  append(*nbl, block_of_text("efgh"), 0, 4);
  std::string text(10, '.');
  EXPECT_EQ(copy_out(*nbl, 3, std::as_writable_bytes(std::span(text))), 5u);
  EXPECT_EQ(text, "defgh.....");
  EXPECT_EQ(copy_in(*nbl, 2, std::as_bytes(std::span<const char>("XYZ", 3))), 3u);
  EXPECT_EQ(text_of(*nbl), "abXYZfgh");
  release(*nbl);
}

TEST_F(ChainTest, PullUpJoinsBytesAndKeepsTheUsedSpace) {
  NET_BUFFER_LIST* const nbl = make("eth|ab");
  append(*nbl, block_of_text("cdef"), 0, 4);
  append(*nbl, block_of_text("gh"), 0, 2);
  advance(*nbl, 4);
  ASSERT_EQ(contiguous(*nbl, 0, 5), nullptr);
  ASSERT_TRUE(pull_up(*nbl, 5));
  EXPECT_NE(contiguous(*nbl, 0, 5), nullptr);
  EXPECT_EQ(text_of(*nbl), "abcdefgh");
  expect_consistent(*nbl);
  ASSERT_TRUE(retreat(*nbl, 4));
  EXPECT_EQ(text_of(*nbl), "eth|abcdefgh");
  EXPECT_FALSE(pull_up(*nbl, 13));
  release(*nbl);
}

TEST_F(ChainTest, PullUpMakesSharedBytesPrivate) {
  NET_BUFFER_LIST* const nbl = make("abcd");
  NET_BUFFER_LIST* const copy = clone(*nbl, pool_);
  ASSERT_TRUE(pull_up(*copy, 2));
  *contiguous(*copy, 0, 2) = std::byte{'X'};
  EXPECT_EQ(text_of(*copy), "Xbcd");
  EXPECT_EQ(text_of(*nbl), "abcd");
  free_clone(*copy);
  release(*nbl);
}

TEST_F(ChainTest, PullUpOfPrivateBytesChangesNothing) {
  NET_BUFFER_LIST* const nbl = make("abcd");
  const std::byte* const before = contiguous(*nbl, 0, 4);
  EXPECT_TRUE(pull_up(*nbl, 4));
  EXPECT_EQ(contiguous(*nbl, 0, 4), before);
  release(*nbl);
}

TEST_F(ChainTest, TrimOnlyShortens) {
  NET_BUFFER_LIST* const nbl = make("abcdef");
  trim(*nbl, 4);
  EXPECT_EQ(text_of(*nbl), "abcd");
  trim(*nbl, 5);
  EXPECT_EQ(text_of(*nbl), "abcd");
  append(*nbl, block_of_text("XY"), 0, 2);  // what was cut off must not come back
  EXPECT_EQ(text_of(*nbl), "abcdXY");
  expect_consistent(*nbl);
  release(*nbl);
}

// What an injection adds is freed when it completes, however often the list is used again.
TEST_F(ChainTest, ListInjectedAgainAndAgainNeedsNoMoreMdls) {
  NET_BUFFER_LIST* const nbl = make("data", 0);
  for (std::size_t round = 0; round < 2 * kMdlsPerPacket * pool_.limit(); ++round) {
    save_layout(*nbl);
    reference(*nbl);  // so that nothing is private
    ASSERT_TRUE(pull_up(*nbl, 2)) << round;
    ASSERT_NE(push(*nbl, 40), nullptr) << round;
    release(*nbl);
    restore_layout(*nbl);
  }
  EXPECT_EQ(text_of(*nbl), "data");
  EXPECT_EQ(mdl_count(*nbl), 1u);
  release(*nbl);
}

TEST_F(ChainTest, RestoredLayoutIsTheDriversOwn) {
  std::string memory = "driver's payload";
  MDL* const mdl = NdisAllocateMdl(nullptr, memory.data(), static_cast<UINT>(memory.size()));
  NET_BUFFER_LIST* nbl = nullptr;
  {
    NET_BUFFER_LIST_POOL_PARAMETERS parameters{};
    parameters.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                         NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1};
    parameters.fAllocateNetBuffer = TRUE;
    const NDIS_HANDLE handle = NdisAllocateNetBufferListPool(nullptr, &parameters);
    nbl = NdisAllocateNetBufferAndNetBufferList(handle, 0, 0, mdl, 9, 7);
    save_layout(*nbl);
    ASSERT_TRUE(pull_up(*nbl, 3));
    ASSERT_NE(push(*nbl, 40), nullptr);
    trim(*nbl, 10);
    restore_layout(*nbl);
    EXPECT_EQ(nbl->FirstNetBuffer->MdlChain, mdl);
    EXPECT_EQ(mdl->Next, nullptr);
    EXPECT_EQ(nbl->FirstNetBuffer->DataOffset, 9u);
    EXPECT_EQ(text_of(*nbl), "payload");
    expect_consistent(*nbl);
    NdisFreeNetBufferList(nbl);
    NdisFreeNetBufferListPool(handle);
  }
  NdisFreeMdl(mdl);
  EXPECT_THAT(ledger::take_rules(), ElementsAre());
}

}  // namespace
}  // namespace wfp::ndis
