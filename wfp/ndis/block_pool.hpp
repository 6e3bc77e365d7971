// Blocks of one size that are used again. At most `limit` exist; the first use of each allocates it.
//
// Thread-safe, fastest on the thread that allocates first. The pool may be destroyed while blocks are out: its core
// lives until the last of them is released.
#pragma once

#include <cstddef>
#include <cstdint>

#include "wfp/ndis/block.hpp"

namespace wfp::ndis {

class BlockPool {
 public:
  BlockPool(std::size_t block_size, std::size_t limit);
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  BlockRef allocate();  // empty when `limit` blocks are out, which is counted
  std::size_t block_size() const;
  std::size_t in_use() const;
  std::uint64_t failed() const;

 private:
  class Core;
  Core* core_;
};

}  // namespace wfp::ndis
