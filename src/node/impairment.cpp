#include "src/node/impairment.hpp"

#include <algorithm>

#include "src/node/frame_memory.hpp"

namespace node {

using stack::Instant;
using stack::Packet;

Impairer::Impairer(const Impairment& impairment, stack::RandomSource& random, stack::PacketPool& pool)
    : impairment_(impairment), random_(random), pool_(pool) {}

bool Impairer::is_later(const Entry& a, const Entry& b) { return a.due != b.due ? a.due > b.due : a.order > b.order; }

bool Impairer::happens(double probability) {
  return probability > 0 && static_cast<double>(random_.next_u32()) < probability * 4294967296.0;
}

void Impairer::offer(Packet frame, Instant now) {
  if (happens(impairment_.loss)) {
    ++lost_;
    return;
  }
  if (happens(impairment_.duplicate)) {
    // A copy of its own, headers included: the receiver of the first one may still be reading it.
    if (auto copy = pool_.slice(frame, 0, frame.size(), 0)) {
      copy.set_checksum(frame.checksum());
      copy.set_large_send(frame.large_send());
      copy.set_coalesced(frame.coalesced());
      ++duplicated_;
      schedule(std::move(copy), now);
    }
  }
  schedule(std::move(frame), now);
}

void Impairer::schedule(Packet frame, Instant now) {
  if (heap_.size() >= kLimit || memory_ + FrameMemory::charge_of(frame.size()) > kMemoryLimit) {
    ++overflowed_;
    return;
  }
  Instant due = now + impairment_.delay;
  if (happens(impairment_.reorder)) {
    due = now;
    ++reordered_;
  }
  memory_ += FrameMemory::charge_of(frame.size());
  heap_.push_back({due, next_order_++, std::move(frame)});
  std::ranges::push_heap(heap_, is_later);
}

std::optional<Packet> Impairer::take_due(Instant now) {
  if (heap_.empty() || heap_.front().due > now) return std::nullopt;
  std::ranges::pop_heap(heap_, is_later);
  Packet frame = std::move(heap_.back().frame);
  heap_.pop_back();
  memory_ -= FrameMemory::charge_of(frame.size());
  return frame;
}

Instant Impairer::next_deadline() const { return heap_.empty() ? stack::kNever : heap_.front().due; }

}  // namespace node
