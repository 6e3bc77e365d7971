// Blocks: counts, homes, and pools whose blocks come back from other threads.
#include "wfp/ndis/block.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <thread>
#include <vector>

#include "wfp/ndis/block_pool.hpp"

namespace wfp::ndis {
namespace {

struct CountingHome final : BlockHome {
  void take_back(Block&) noexcept override { ++returned; }
  int returned = 0;
};

TEST(Block, CopiesOfAReferenceAreCounted) {
  BlockRef first = make_block(100);
  ASSERT_TRUE(first);
  EXPECT_GE(first->capacity(), 100u);
  BlockRef second = first;
  EXPECT_EQ(first->reference_count(), 2u);
  const BlockRef third = std::move(second);
  EXPECT_EQ(first->reference_count(), 2u);
  EXPECT_FALSE(second);  // NOLINT: a moved-from reference is empty
  first = BlockRef();
  EXPECT_EQ(third->reference_count(), 1u);
}

TEST(Block, DetachedReferenceIsTheCallers) {
  BlockRef reference = make_block(8);
  Block* const raw = reference.detach();
  EXPECT_EQ(raw->reference_count(), 1u);
  const BlockRef again(raw);
}

TEST(Block, WrappedMemoryGoesHomeOnTheLastRelease) {
  CountingHome home;
  std::array<std::byte, 32> memory{};
  BlockRef block = wrap_block(memory.data(), memory.size(), home);
  EXPECT_EQ(block->data(), memory.data());
  BlockRef other = block;
  block = BlockRef();
  EXPECT_EQ(home.returned, 0);
  other = BlockRef();
  EXPECT_EQ(home.returned, 1);
}

TEST(Block, EmbeddedBlockIsUsedAgainAndAgain) {
  CountingHome home;
  std::array<std::byte, 32> memory{};
  Block block(memory.data(), memory.size(), home);
  for (int i = 0; i < 3; ++i) {
    const BlockRef out = BlockRef::share(block);
    EXPECT_EQ(block.reference_count(), 1u);
  }
  EXPECT_EQ(home.returned, 3);
}

TEST(BlockPool, StopsAtItsLimitAndCountsIt) {
  BlockPool pool(64, 2);
  BlockRef first = pool.allocate();
  const BlockRef second = pool.allocate();
  EXPECT_FALSE(pool.allocate());
  EXPECT_EQ(pool.in_use(), 2u);
  EXPECT_EQ(pool.failed(), 1u);
  first = BlockRef();
  EXPECT_TRUE(pool.allocate());
}

TEST(BlockPool, UsesTheSameMemoryAgain) {
  BlockPool pool(64, 4);
  const std::byte* const memory = pool.allocate()->data();
  EXPECT_EQ(pool.allocate()->data(), memory);
}

TEST(BlockPool, TakesOverWhatOtherThreadsReleased) {
  BlockPool pool(64, 100);
  std::vector<BlockRef> out;
  for (int i = 0; i < 100; ++i) out.push_back(pool.allocate());
  std::thread([&] { out.clear(); }).join();
  EXPECT_EQ(pool.in_use(), 0u);
  for (int i = 0; i < 100; ++i) out.push_back(pool.allocate());
  EXPECT_TRUE(out.back());
  EXPECT_EQ(pool.failed(), 0u);
}

// What another thread took over from the returns, beyond what it needed, is still there for the owner.
TEST(BlockPool, AtTheLimitTheOwnerFindsWhatOthersTookOver) {
  BlockPool pool(64, 3);
  std::vector<BlockRef> out;
  for (int i = 0; i < 3; ++i) out.push_back(pool.allocate());
  std::thread([&] {
    out.clear();
    out.push_back(pool.allocate());
  }).join();
  out.push_back(pool.allocate());
  out.push_back(pool.allocate());
  EXPECT_TRUE(out[1] && out[2]);
  EXPECT_FALSE(pool.allocate());
  EXPECT_EQ(pool.failed(), 1u);
}

TEST(BlockPool, AnyThreadMayAllocate) {
  BlockPool pool(64, 1000);
  const BlockRef owners = pool.allocate();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < 2000; ++round) {
        const BlockRef first = pool.allocate();
        const BlockRef second = pool.allocate();
        ASSERT_TRUE(first && second);
        first->data()[0] = second->data()[0] = std::byte{1};
      }
    });
  for (int round = 0; round < 2000; ++round) pool.allocate()->data()[0] = std::byte{2};
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(pool.in_use(), 1u);
}

TEST(BlockPool, BlocksOutliveTheirPool) {
  auto pool = std::make_unique<BlockPool>(64, 4);
  const BlockRef block = pool->allocate();
  pool.reset();
  block->data()[63] = std::byte{7};
}

}  // namespace
}  // namespace wfp::ndis
