// A misbehaving piece of network in one direction: frames go in, some come out later, out of order, twice or never.
// Seeded, so that a run can be repeated. Between a TAP and the stack (--impair) and inside the simulated link of the
// tests.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "src/node/config.hpp"
#include "stack/base/rng.hpp"
#include "stack/packet/packet_pool.hpp"

namespace node {

class Impairer {
 public:
  // Under way at once; more is lost, as on a full router.
  static constexpr std::size_t kLimit = 16'384;  // frames
  static constexpr std::size_t kMemoryLimit = std::size_t{64} << 20;

  // `pool` makes the duplicates. Both are used by the thread that calls this object.
  Impairer(const Impairment& impairment, stack::RandomSource& random, stack::PacketPool& pool);

  void offer(stack::Packet frame, stack::Instant now);
  std::optional<stack::Packet> take_due(stack::Instant now);
  stack::Instant next_deadline() const;

  std::uint64_t lost() const { return lost_; }
  std::uint64_t overflowed() const { return overflowed_; }
  std::uint64_t duplicated() const { return duplicated_; }
  std::uint64_t reordered() const { return reordered_; }
  std::size_t under_way() const { return heap_.size(); }
  std::size_t memory() const { return memory_; }  // of those that are under way

 private:
  struct Entry {
    stack::Instant due;
    std::uint64_t order = 0;  // frames that are due together keep their order
    stack::Packet frame;
  };
  static bool is_later(const Entry& a, const Entry& b);
  bool happens(double probability);
  void schedule(stack::Packet frame, stack::Instant now);

  Impairment impairment_;
  stack::RandomSource& random_;
  stack::PacketPool& pool_;
  std::vector<Entry> heap_;  // the earliest is in front
  std::size_t memory_ = 0;
  std::uint64_t next_order_ = 0;
  std::uint64_t lost_ = 0, overflowed_ = 0, duplicated_ = 0, reordered_ = 0;
};

}  // namespace node
