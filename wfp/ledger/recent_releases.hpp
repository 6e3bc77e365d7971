// The latest objects that drivers gave back, with where they were acquired and released: so that a second release can
// name the first. Not thread-safe; the ledger keeps one behind each of its shard locks.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "wfp/ledger/ledger.hpp"

namespace wfp::ledger {

struct Released {
  struct Stacks {
    std::vector<void*> acquired, released;
  };
  const void* object = nullptr;
  Kind kind = Kind::other;
  void* acquired_at = nullptr;
  void* released_at = nullptr;
  std::unique_ptr<Stacks> stacks;  // at the level full, instead of the two places
};

class RecentReleases {
 public:
  static constexpr std::size_t kKept = 16;  // a shard

  // A slot to be filled in; the oldest is forgotten.
  Released& next() {
    Released& slot = kept_[next_];
    next_ = (next_ + 1) % kKept;
    slot.stacks.reset();
    return slot;
  }
  // The latest of this object; null when it is forgotten.
  const Released* find(Kind kind, const void* object) const {
    for (std::size_t back = 1; back <= kKept; ++back) {
      const Released& one = kept_[(next_ + kKept - back) % kKept];
      if (one.object == object && one.kind == kind) return &one;
    }
    return nullptr;
  }
  void clear() { *this = {}; }

 private:
  std::array<Released, kKept> kept_{};
  std::size_t next_ = 0;
};

}  // namespace wfp::ledger
