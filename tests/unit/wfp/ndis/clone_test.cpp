// Clones: what they share, what they hold, what they inherit, and what happens when they are freed wrongly.
#include "wfp/ndis/clone.hpp"

#include <thread>
#include <vector>

#include "fixture.hpp"
#include "wfp/ndis/offsets.hpp"

namespace wfp::ndis {
namespace {

using testing::ElementsAre;

class CloneTest : public NdisTest {
 protected:
  NET_BUFFER_LIST_POOL_PARAMETERS parameters() {
    NET_BUFFER_LIST_POOL_PARAMETERS result{};
    result.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                     NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1};
    result.fAllocateNetBuffer = TRUE;
    return result;
  }
};

struct Ignore final : ReleaseHandler {
  void on_last_release(NET_BUFFER_LIST&) noexcept override {}
};

TEST_F(CloneTest, SharesBytesAndHoldsItsParent) {
  NET_BUFFER_LIST* const parent = make("abcd");
  append(*parent, block_of_text("efgh"), 0, 4);
  advance(*parent, 1);
  NET_BUFFER_LIST* const copy = clone(*parent, pool_);
  ASSERT_NE(copy, nullptr);
  EXPECT_EQ(text_of(*copy), "bcdefgh");
  EXPECT_EQ(contiguous(*copy, 0, 3), contiguous(*parent, 0, 3));
  EXPECT_EQ(copy->ParentNetBufferList, parent);
  EXPECT_EQ(parent->ChildRefCount, 1);
  EXPECT_EQ(reference_count(*parent), 2u);
  EXPECT_TRUE(is_shared(*parent));
  EXPECT_TRUE(is_shared(*copy));
  expect_consistent(*copy);

  release(*parent);  // the parent's owner is done: the clone keeps bytes and parent
  EXPECT_EQ(text_of(*copy), "bcdefgh");
  EXPECT_EQ(parent->ChildRefCount, 1);
  EXPECT_TRUE(free_clone(*copy));
}

TEST_F(CloneTest, OffsetsOfCloneAndParentMoveApart) {
  NET_BUFFER_LIST* const parent = make("headerbody");
  NET_BUFFER_LIST* const copy = clone(*parent, pool_);
  advance(*copy, 6);
  EXPECT_EQ(text_of(*copy), "body");
  EXPECT_EQ(text_of(*parent), "headerbody");
  retreat(*copy, 6);  // a callout finds the pulled headers again
  EXPECT_EQ(text_of(*copy), "headerbody");
  free_clone(*copy);
  EXPECT_EQ(parent->ChildRefCount, 0);
  EXPECT_FALSE(is_shared(*parent));
  release(*parent);
}

TEST_F(CloneTest, CloneOfACloneHoldsTheWholeLine) {
  NET_BUFFER_LIST* const root = make("data");
  NET_BUFFER_LIST* const child = clone(*root, pool_);
  NET_BUFFER_LIST* const grandchild = clone(*child, pool_);
  release(*root);
  EXPECT_TRUE(free_clone(*child));  // reported, and safe: the grandchild holds it
  EXPECT_THAT(ledger::take_rules(), ElementsAre("NBL-FREE-WITH-CHILDREN"));
  EXPECT_EQ(text_of(*grandchild), "data");
  EXPECT_EQ(pool_.in_use(), 3u);
  free_clone(*grandchild);
}

TEST_F(CloneTest, EveryNetBufferIsCopied) {
  const auto pool_parameters = parameters();
  const NDIS_HANDLE handle = NdisAllocateNetBufferListPool(nullptr, &pool_parameters);
  std::string first = "first";
  std::string second = "second";
  MDL* const mdl1 = NdisAllocateMdl(nullptr, first.data(), 5);
  MDL* const mdl2 = NdisAllocateMdl(nullptr, second.data(), 6);
  NET_BUFFER_LIST* const nbl = NdisAllocateNetBufferAndNetBufferList(handle, 0, 0, mdl1, 0, 5);
  NET_BUFFER* const nb = NdisAllocateNetBuffer(handle, mdl2, 3, 3);
  nbl->FirstNetBuffer->Next = nb;

  NET_BUFFER_LIST* const copy = clone(*nbl, pool_);
  ASSERT_NE(copy->FirstNetBuffer->Next, nullptr);
  EXPECT_EQ(copy->FirstNetBuffer->DataLength, 5u);
  EXPECT_EQ(contiguous(*copy->FirstNetBuffer->Next, 0, 3), reinterpret_cast<std::byte*>(second.data()) + 3);
  expect_consistent(*copy);
  free_clone(*copy);

  nbl->FirstNetBuffer->Next = nullptr;
  NdisFreeNetBuffer(nb);
  NdisFreeNetBufferList(nbl);
  NdisFreeMdl(mdl1);
  NdisFreeMdl(mdl2);
  NdisFreeNetBufferListPool(handle);
  EXPECT_THAT(ledger::take_rules(), ElementsAre());
}

TEST_F(CloneTest, OriginalMdlsAreUsedWhenAsked) {
  NET_BUFFER_LIST* const parent = make("data");
  NET_BUFFER_LIST* const copy = clone(*parent, pool_, {.use_original_mdls = true});
  EXPECT_EQ(copy->FirstNetBuffer->MdlChain, parent->FirstNetBuffer->MdlChain);
  EXPECT_TRUE(is_shared(*copy));
  EXPECT_TRUE(is_shared(*parent));
  free_clone(*copy);
  EXPECT_EQ(text_of(*parent), "data");
  release(*parent);
}

TEST_F(CloneTest, OffloadInformationIsInheritedOnlyWhenAsked) {
  NET_BUFFER_LIST* const parent = make("data");
  NDIS_TCP_LARGE_SEND_OFFLOAD_NET_BUFFER_LIST_INFO large{};
  large.LsoV2Transmit.MSS = 1448;
  large.LsoV2Transmit.Type = NDIS_TCP_LARGE_SEND_OFFLOAD_V2_TYPE;
  parent->NetBufferListInfo[TcpLargeSendNetBufferListInfo] = large.Value;
  NDIS_RSC_NBL_INFO coalesced{};
  coalesced.Info.CoalescedSegCount = 7;
  parent->NetBufferListInfo[TcpRecvSegCoalesceInfo] = coalesced.Value;
  NDIS_TCP_IP_CHECKSUM_NET_BUFFER_LIST_INFO checksum{};
  checksum.Transmit.TcpChecksum = 1;
  parent->NetBufferListInfo[TcpIpChecksumNetBufferListInfo] = checksum.Value;

  NET_BUFFER_LIST* const wfp_clone = clone(*parent, pool_, {.inherit_offload = true});
  NET_BUFFER_LIST* const ndis_clone = NdisAllocateCloneNetBufferList(parent, nullptr, nullptr, 0);
  large.Value = wfp_clone->NetBufferListInfo[TcpLargeSendNetBufferListInfo];
  EXPECT_EQ(large.LsoV2Transmit.MSS, 1448u);
  EXPECT_EQ(wfp_clone->NetBufferListInfo[TcpRecvSegCoalesceInfo], coalesced.Value);
  EXPECT_EQ(wfp_clone->NetBufferListInfo[TcpIpChecksumNetBufferListInfo], checksum.Value);
  for (const auto slot : {TcpLargeSendNetBufferListInfo, TcpRecvSegCoalesceInfo, TcpIpChecksumNetBufferListInfo})
    EXPECT_EQ(ndis_clone->NetBufferListInfo[slot], nullptr);
  clear_offload_information(*wfp_clone);
  EXPECT_EQ(wfp_clone->NetBufferListInfo[TcpLargeSendNetBufferListInfo], nullptr);
  free_clone(*wfp_clone);
  NdisFreeCloneNetBufferList(ndis_clone, 0);
  release(*parent);
}

TEST_F(CloneTest, InjectionMarkIsInherited) {
  NET_BUFFER_LIST* const parent = make("data");
  injection_mark(*parent) = {11, 22, 3};
  NET_BUFFER_LIST* const copy = clone(*parent, pool_);
  EXPECT_EQ(injection_mark(*copy).handle, 11u);
  EXPECT_EQ(injection_mark(*copy).context, 22u);
  EXPECT_EQ(injection_mark(*copy).hops, 3u);
  free_clone(*copy);
  release(*parent);
}

TEST_F(CloneTest, SecondFreeIsReportedAndHarmless) {
  NET_BUFFER_LIST* const parent = make("data");
  const ledger::DriverScope scope(driver_);
  NET_BUFFER_LIST* const copy = NdisAllocateCloneNetBufferList(parent, nullptr, nullptr, 0);
  EXPECT_EQ(ledger::alive_count(driver_, ledger::Kind::clone), 1u);
  NdisFreeCloneNetBufferList(copy, 0);
  NdisFreeCloneNetBufferList(copy, 0);
  EXPECT_THAT(ledger::take_rules(), ElementsAre("NBL-DOUBLE-FREE"));
  EXPECT_EQ(reference_count(*parent), 1u);
  release(*parent);
}

TEST_F(CloneTest, SecondFreeAfterOthersWereMadeIsNamedWhenVerificationIsFull) {
  ledger::set_level(ledger::Level::full);
  const auto pool_parameters = parameters();
  NET_BUFFER_LIST* const parent = make("data");
  {
    const ledger::DriverScope scope(driver_);
    const NDIS_HANDLE handle = NdisAllocateNetBufferListPool(nullptr, &pool_parameters);
    NET_BUFFER_LIST* const first = NdisAllocateCloneNetBufferList(parent, handle, nullptr, 0);
    NdisFreeCloneNetBufferList(first, 0);
    NET_BUFFER_LIST* const second = NdisAllocateCloneNetBufferList(parent, handle, nullptr, 0);
    EXPECT_NE(first, second);
    NdisFreeCloneNetBufferList(first, 0);
    EXPECT_EQ(text_of(*second), "data");
    NdisFreeCloneNetBufferList(second, 0);
    ASSERT_EQ(ledger::violations().size(), 1u);
    EXPECT_FALSE(ledger::violations()[0].stack.empty());
    EXPECT_THAT(ledger::take_rules(), ElementsAre("NBL-DOUBLE-FREE"));
    NdisFreeNetBufferListPool(handle);  // nothing counts as out
    EXPECT_THAT(ledger::take_rules(), testing::IsEmpty());
  }
  release(*parent);
}

TEST_F(CloneTest, QuarantineGivesWayAtTheLimit) {
  ledger::set_level(ledger::Level::full);
  NblPool small(8);
  NET_BUFFER_LIST* const parent = make("data");
  for (int round = 0; round < 100; ++round) {
    std::vector<NET_BUFFER_LIST*> clones;
    for (int i = 0; i < 8; ++i) {
      clones.push_back(clone(*parent, small));
      ASSERT_NE(clones.back(), nullptr);
    }
    EXPECT_EQ(clone(*parent, small), nullptr);
    for (auto* copy : clones) free_clone(*copy);
    EXPECT_EQ(small.in_use(), 0u);
  }
  release(*parent);
}

TEST_F(CloneTest, FreeWhileInjectedIsRefused) {
  NET_BUFFER_LIST* const parent = make("data");
  NET_BUFFER_LIST* const copy = clone(*parent, pool_);
  Ignore injection;
  exchange_release_handler(*copy, &injection);
  EXPECT_FALSE(free_clone(*copy));
  EXPECT_FALSE(free_clone(*parent));
  EXPECT_THAT(ledger::take_rules(), ElementsAre("INJ-FREE-IN-FLIGHT", "NBL-NOT-A-CLONE"));
  exchange_release_handler(*copy, nullptr);
  EXPECT_TRUE(free_clone(*copy));
  release(*parent);
}

// The driver's completion function still frees it, which is no double free.
TEST_F(CloneTest, RefusedFreeLeavesTheCloneWithItsDriver) {
  NET_BUFFER_LIST* const parent = make("data");
  const ledger::DriverScope scope(driver_);
  NET_BUFFER_LIST* const copy = NdisAllocateCloneNetBufferList(parent, nullptr, nullptr, 0);
  Ignore injection;
  exchange_release_handler(*copy, &injection);
  NdisFreeCloneNetBufferList(copy, 0);
  EXPECT_EQ(ledger::alive_count(driver_, ledger::Kind::clone), 1u);
  exchange_release_handler(*copy, nullptr);
  NdisFreeCloneNetBufferList(copy, 0);
  EXPECT_THAT(ledger::take_rules(), ElementsAre("INJ-FREE-IN-FLIGHT"));
  EXPECT_EQ(reference_count(*parent), 1u);
  release(*parent);
}

// A driver's own MDL in front of the chain hides nothing from the free: the clone's MDLs let go of the parent's blocks.
TEST_F(CloneTest, FreedWithADriversMdlInFrontItLosesNothing) {
  static char front[32];
  static MDL* made;
  NET_BUFFER_LIST* const parent = make("data", 0);
  NET_BUFFER_LIST* const copy = clone(*parent, pool_);
  const auto allocate = [](PULONG size) { return made = NdisAllocateMdl(nullptr, front, *size); };
  EXPECT_EQ(NdisRetreatNetBufferDataStart(copy->FirstNetBuffer, 20, 0, allocate), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(copy->FirstNetBuffer->MdlChain, made);
  free_clone(*copy);  // without the advance that undoes the retreat
  NdisFreeMdl(made);
  EXPECT_FALSE(is_shared(*parent));
  release(*parent);
}

TEST_F(CloneTest, PoolWithoutRoomGivesNoCloneAndChangesNothing) {
  NblPool small(1);
  NET_BUFFER_LIST* const only = small.allocate(0, 10);
  EXPECT_EQ(clone(*only, small), nullptr);
  EXPECT_EQ(only->ChildRefCount, 0);
  EXPECT_EQ(reference_count(*only), 1u);
  release(*only);
}

TEST_F(CloneTest, ManyThreadsCloneAndFreeOnePacket) {
  NET_BUFFER_LIST* const parent = make("shared");
  append(*parent, block_of_text("block"), 0, 5);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < 1000; ++round) {
        NET_BUFFER_LIST* const copy = clone(*parent, pool_, {.inherit_offload = true});
        ASSERT_NE(copy, nullptr);
        ASSERT_EQ(text_of(*copy), "sharedblock");
        ASSERT_TRUE(free_clone(*copy));
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(parent->ChildRefCount, 0);
  EXPECT_EQ(reference_count(*parent), 1u);
  release(*parent);
}

}  // namespace
}  // namespace wfp::ndis
