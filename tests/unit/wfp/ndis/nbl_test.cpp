// Reference counts, release handlers, owner area and pool bounds of NET_BUFFER_LISTs.
#include "wfp/ndis/nbl.hpp"

#include <memory>
#include <thread>
#include <vector>

#include "fixture.hpp"

namespace wfp::ndis {
namespace {

using testing::ElementsAre;

struct Reviver final : ReleaseHandler {
  void on_last_release(NET_BUFFER_LIST& nbl) noexcept override {
    ++calls;
    exchange_release_handler(nbl, nullptr);
    revive(nbl);
    completed = &nbl;
  }
  int calls = 0;
  NET_BUFFER_LIST* completed = nullptr;
};

using NblTest = NdisTest;

TEST_F(NblTest, FreshPacketHasOneReferenceAndItsData) {
  NET_BUFFER_LIST* const nbl = make("hello");
  EXPECT_EQ(reference_count(*nbl), 1u);
  EXPECT_EQ(text_of(*nbl), "hello");
  EXPECT_EQ(nbl->FirstNetBuffer->DataOffset, kHeadroom);
  EXPECT_EQ(nbl->FirstNetBuffer->stDataLength, 5u);
  EXPECT_EQ(mdl_count(*nbl), 1u);
  EXPECT_FALSE(is_shared(*nbl));
  expect_consistent(*nbl);
  release(*nbl);
}

TEST_F(NblTest, LivesUntilTheLastReference) {
  NET_BUFFER_LIST* const nbl = make("x");
  EXPECT_EQ(reference(*nbl), 2u);
  EXPECT_TRUE(is_shared(*nbl));
  release(*nbl);
  EXPECT_EQ(pool_.in_use(), 1u);
  EXPECT_EQ(text_of(*nbl), "x");
  release(*nbl);
}

TEST_F(NblTest, ReleaseBelowZeroIsReported) {
  NET_BUFFER_LIST* const nbl = make("x");
  release(*nbl);
  release(*nbl);
  EXPECT_THAT(ledger::take_rules(), ElementsAre("NBL-OVER-RELEASE"));
  EXPECT_EQ(pool_.in_use(), 0u);
}

TEST_F(NblTest, HandlerTakesTheLastReleaseInsteadOfThePool) {
  NET_BUFFER_LIST* const nbl = make("x");
  Reviver handler;
  EXPECT_EQ(exchange_release_handler(*nbl, &handler), nullptr);
  reference(*nbl);
  release(*nbl);
  EXPECT_EQ(handler.calls, 0);
  release(*nbl);
  EXPECT_EQ(handler.calls, 1);
  EXPECT_EQ(handler.completed, nbl);
  EXPECT_EQ(reference_count(*nbl), 1u);
  EXPECT_EQ(text_of(*nbl), "x");
  release(*nbl);
}

TEST_F(NblTest, RecycledPacketRemembersNothing) {
  NET_BUFFER_LIST* nbl = make("x");
  static_cast<char*>(owner_area(*nbl))[kOwnerAreaSize - 1] = 1;
  injection_mark(*nbl) = {1, 2, 3};
  nbl->NetBufferListInfo[TcpLargeSendNetBufferListInfo] = nbl;
  nbl->Status = NDIS_STATUS_FAILURE;
  NET_BUFFER_LIST* const before = nbl;
  release(*nbl);
  nbl = make("y");
  ASSERT_EQ(nbl, before);
  for (std::size_t i = 0; i < kOwnerAreaSize; ++i) ASSERT_EQ(static_cast<char*>(owner_area(*nbl))[i], 0);
  EXPECT_EQ(injection_mark(*nbl).handle, 0u);
  EXPECT_EQ(nbl->NetBufferListInfo[TcpLargeSendNetBufferListInfo], nullptr);
  EXPECT_EQ(nbl->Status, NDIS_STATUS_SUCCESS);
  release(*nbl);
}

TEST_F(NblTest, PoolStopsAtItsLimit) {
  NblPool small(2);
  NET_BUFFER_LIST* const first = small.allocate(0, 10);
  NET_BUFFER_LIST* const second = small.adopt(make_block(10), 0, 10);
  EXPECT_EQ(small.allocate(0, 10), nullptr);
  EXPECT_EQ(small.adopt(make_block(10), 0, 10), nullptr);
  EXPECT_EQ(small.failed(), 2u);
  EXPECT_EQ(small.high_water(), 2u);
  release(*first);
  release(*second);
  EXPECT_EQ(small.in_use(), 0u);
}

TEST_F(NblTest, LargePacketTakesABlockOfItsOwn) {
  for (const std::size_t size : {kInlineSize - kHeadroom, kInlineSize, std::size_t{65'535}, 2 * kLargeBlockSize}) {
    NET_BUFFER_LIST* const nbl = pool_.allocate(kHeadroom, size);
    ASSERT_NE(nbl, nullptr);
    EXPECT_NE(contiguous(*nbl, 0, size), nullptr);
    EXPECT_FALSE(is_shared(*nbl));
    expect_consistent(*nbl);
    release(*nbl);
  }
}

TEST_F(NblTest, AdoptedFrameIsNotCopied) {
  BlockRef block = block_of_text("headerpayload");
  NET_BUFFER_LIST* const nbl = pool_.adopt(block, 6, 7);
  EXPECT_EQ(text_of(*nbl), "payload");
  EXPECT_EQ(contiguous(*nbl, 0, 7), block->data() + 6);
  EXPECT_TRUE(is_shared(*nbl));  // this test holds the block too
  EXPECT_EQ(block->reference_count(), 2u);
  block = BlockRef();
  EXPECT_FALSE(is_shared(*nbl));
  release(*nbl);
  EXPECT_EQ(pool_.adopt(make_block(4), 2, 3), nullptr);
}

TEST_F(NblTest, PacketsOutliveTheirPool) {
  auto pool = std::make_unique<NblPool>(4);
  NET_BUFFER_LIST* const nbl = pool->allocate(0, 100);
  append(*nbl, make_block(10), 0, 10);
  pool.reset();
  EXPECT_EQ(data_length(*nbl), 110u);
  release(*nbl);
}

TEST_F(NblTest, ReleasesFromOtherThreadsComeHome) {
  constexpr int kRounds = 500;
  for (int round = 0; round < kRounds / 50; ++round) {
    std::vector<NET_BUFFER_LIST*> out;
    for (int i = 0; i < 50; ++i) {
      out.push_back(make("data"));
      append(*out.back(), block_of_text("more"), 0, 4);
      reference(*out.back());
    }
    std::thread first([&] {
      for (auto* nbl : out) release(*nbl);
    });
    std::thread second([&] {
      for (auto* nbl : out) release(*nbl);
    });
    first.join();
    second.join();
    ASSERT_EQ(pool_.in_use(), 0u);
  }
  EXPECT_EQ(pool_.failed(), 0u);
}

TEST_F(NblTest, ProducerAndConsumerThreadsShareOnePool) {
  std::atomic<NET_BUFFER_LIST*> box{nullptr};
  constexpr int kPackets = 20'000;
  std::thread consumer([&] {
    for (int taken = 0; taken < kPackets;) {
      NET_BUFFER_LIST* const nbl = box.exchange(nullptr, std::memory_order_acquire);
      if (nbl == nullptr)
        std::this_thread::yield();
      else
        release(*nbl), ++taken;
    }
  });
  for (int i = 0; i < kPackets; ++i) {
    NET_BUFFER_LIST* const nbl = pool_.allocate(16, 100);
    ASSERT_NE(nbl, nullptr);
    NET_BUFFER_LIST* empty = nullptr;
    while (!box.compare_exchange_weak(empty, nbl, std::memory_order_release)) {
      empty = nullptr;
      std::this_thread::yield();
    }
  }
  consumer.join();
}

}  // namespace
}  // namespace wfp::ndis
