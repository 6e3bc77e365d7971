// What an NblPool is made of. It lives until the pool and every slot of it are gone, so packets may outlive their
// pool.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "wfp/ndis/block_pool.hpp"
#include "wfp/ndis/packet_objects.hpp"
#include "wfp/ndis/quarantine.hpp"

namespace wfp::ndis {

class PoolCore final : public BlockHome {
 public:
  explicit PoolCore(std::size_t limit);

  // An NBL with one reference, its NB attached and empty. Null at the limit.
  Slot* allocate_slot(bool with_bytes, Origin origin) noexcept;
  // A block with at least `size` bytes: pooled up to kLargeBlockSize, else from the heap.
  BlockRef allocate_block(std::size_t size);

  NbObject* allocate_nb(NblObject* nbl) noexcept;
  void free_nb(NbObject& nb) noexcept;
  MdlObject* allocate_mdl() noexcept;
  void free_mdl(MdlObject& mdl) noexcept;

  void drop() noexcept;  // the pool lets go
  void count_failure() noexcept { failed_.fetch_add(1, std::memory_order_relaxed); }

  std::size_t limit() const noexcept { return limit_; }
  // While the pool is open, which holds the core as well.
  std::size_t in_use() const noexcept {
    const auto waiting = quarantine_.size() + 1;  // the pool itself holds once
    const auto held = holders_.load(std::memory_order_relaxed);
    return held > waiting ? held - waiting : 0;
  }
  std::size_t high_water() const noexcept { return high_water_.load(std::memory_order_relaxed); }
  std::uint64_t failed() const noexcept { return failed_.load(std::memory_order_relaxed); }

  void take_back(Block& block) noexcept override;  // the last holder of a slot's block

 private:
  void recycle(Slot& slot) noexcept;
  void note_high_water(std::size_t in_use) noexcept;

  const std::size_t limit_;
  Recycler slots_;       // with bytes
  Recycler bare_slots_;  // without: adopted frames, clones, drivers' NBLs
  Recycler nbs_;
  Recycler mdls_;
  BlockPool small_blocks_;
  BlockPool large_blocks_;
  Quarantine quarantine_;
  std::atomic<std::size_t> holders_{1};
  std::atomic<std::size_t> high_water_{0};
  std::atomic<std::uint64_t> failed_{0};
};

}  // namespace wfp::ndis
