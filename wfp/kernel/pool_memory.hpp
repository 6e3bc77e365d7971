// Pool memory with tags. Each block carries a header (tag, size, owner) and red zones on both sides; the ledger holds
// the live blocks by driver. What is checked depends on the ledger's level: off: nothing beyond the header; standard:
// double and unknown frees, wrong tags, writes past the end; full: also writes after free, because freed blocks are
// poisoned and kept in a quarantine of kQuarantineBytes, until their driver is unloaded at the latest. Under the address sanitizer red zones and quarantine are
// poisoned for it too. Any thread; allocation fails at the byte limit.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "nt/types.h"
#include "wfp/ledger/ledger.hpp"

namespace wfp::kernel {

inline constexpr std::size_t kDefaultPoolLimitBytes = std::size_t{1} << 30;
inline constexpr std::size_t kQuarantineBytes = std::size_t{16} << 20;
inline constexpr std::size_t kRecentFrees = 1024;  // remembered to name double frees

struct PoolLeak {
  std::string tag;
  std::size_t count = 0, bytes = 0;
};

class PoolMemory {
 public:
  struct Block;  // the header; the caller's bytes follow it

  PoolMemory() = default;
  ~PoolMemory();
  PoolMemory(const PoolMemory&) = delete;
  PoolMemory& operator=(const PoolMemory&) = delete;

  // Null when the limit is reached. `size` may be 0. Blocks start on a cache line.
  void* allocate(std::size_t size, ULONG tag, bool zeroed);
  // `tag` 0: any (ExFreePool). A bad free is reported and does nothing.
  void free(void* memory, ULONG tag);

  void set_limit(std::size_t bytes) { limit_bytes_ = bytes; }
  std::size_t bytes_in_use() const { return bytes_in_use_.load(std::memory_order_relaxed); }
  std::size_t failures() const { return failures_.load(std::memory_order_relaxed); }
  // Looks at what `driver` freed and at the level full is still kept, for writes after the free; then lets it go. At
  // its unload, while its code is mapped.
  void sweep(ledger::DriverId driver);
  // Blocks that `driver` still holds, by tag.
  static std::vector<PoolLeak> leaks(ledger::DriverId driver);

 private:
  struct Freed {
    const void* memory = nullptr;
    ULONG tag = 0;
    ledger::DriverId driver = ledger::kNoDriver;
  };
  struct Quarantined {
    Block* block;
    std::vector<ledger::Origin> history;
  };
  Block* take_memory(std::size_t size, std::size_t total);
  void enter(Block& block, ledger::Level level);
  bool may_free(void* memory);
  void check_on_free(const Block& block, const void* memory, ULONG tag);
  void dispose(Quarantined& one);
  void quarantine(Block* block);
  void remember_free(const void* memory, const Block& block);

  std::size_t limit_bytes_ = kDefaultPoolLimitBytes;
  std::atomic<std::size_t> bytes_in_use_{0}, failures_{0};
  std::atomic<bool> allocated_unseen_{false};  // some blocks are from a time when the level was off
  std::mutex lock_;                            // guards what follows
  std::unordered_set<const void*> unowned_;    // allocated outside any driver's scope; the ledger has the others
  std::array<Freed, kRecentFrees> recent_{};
  std::size_t next_recent_ = 0;
  std::deque<Quarantined> quarantine_;
  std::size_t quarantine_bytes_ = 0;
};

std::string tag_text(ULONG tag);  // 'abcd' as four characters, the first letter first

}  // namespace wfp::kernel
