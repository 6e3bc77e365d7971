// NblPool: where packets come from. One for each processor of the stack, one for each pool that a driver makes.
//
// Bounded by `limit` packets. Thread-safe, fastest on the thread that allocates first; packets may come home from any
// thread and may outlive the pool. Up to kInlineSize bytes, headroom included, NBL, NB, MDL and memory are one
// recycled element, so that the steady state allocates nothing from the heap.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ndis.h"
#include "wfp/ndis/block.hpp"
#include "wfp/ndis/nbl.hpp"

namespace wfp::ndis {

inline constexpr std::size_t kInlineSize = 2048;
inline constexpr std::size_t kLargeBlockSize = 66 * 1024;  // a 64 KiB segment with headroom
inline constexpr std::size_t kLargeBlockLimit = 4096;      // a pool; more come from the heap
inline constexpr std::size_t kMdlsPerPacket = 4;           // on average; bounds a pool's MDLs
inline constexpr std::size_t kQuarantineLimit = 1024;      // freed packets of drivers, see quarantine.hpp
inline constexpr std::size_t kMdlLimitFloor = 256;         // a chain can be longer than the average

class PoolCore;

class NblPool {
 public:
  explicit NblPool(std::size_t limit);
  ~NblPool();
  NblPool(const NblPool&) = delete;
  NblPool& operator=(const NblPool&) = delete;

  // `size` bytes of data after `headroom` bytes of used space. One reference. Null, counted, when nothing is left.
  NET_BUFFER_LIST* allocate(std::size_t headroom, std::size_t size);
  // A packet over bytes [offset, offset + length) of a block; the bytes before `offset` are its used space. No copy.
  NET_BUFFER_LIST* adopt(BlockRef block, std::size_t offset, std::size_t length);
  // Memory for append() of chain.hpp and the like, from this pool where it fits.
  BlockRef allocate_block(std::size_t size);

  std::size_t limit() const;
  std::size_t in_use() const;  // elements that are out, also when only a block of theirs is still held
  std::size_t high_water() const;
  std::uint64_t failed() const;

  PoolCore& core() { return *core_; }

 private:
  PoolCore* core_;
};

// For callers that bring no pool: the process's own. Never destroyed.
NblPool& shared_pool();

// From the pool that the packet came from, whether or not that pool still exists.
NET_BUFFER_LIST* allocate_like(NET_BUFFER_LIST& nbl, std::size_t headroom, std::size_t size);

}  // namespace wfp::ndis
