#include "src/node/frame_memory.hpp"

#include <algorithm>
#include <cstring>

namespace node {

using stack::Account;
using stack::Bytes;
using stack::Packet;
using stack::Use;

namespace {

// The packets that may be out: with drivers, the reserve of those that are admitted nevertheless, those of one round, and
// those that impairments hold back.
std::size_t packet_limit(const Account& account, std::size_t held_back_limit) {
  const std::size_t kept = (account.most(Use::Drivers) + account.reserve()) / FrameMemory::kFrameCharge;
  return kept + FrameMemory::kPostedBuffers + held_back_limit;
}

}  // namespace

FrameMemory::FrameMemory(std::shared_ptr<Account> account, std::size_t buffer_size, std::size_t frame_offset,
                         std::size_t held_back_limit)
    : account_(std::move(account)),
      frame_offset_(frame_offset),
      packets_(packet_limit(*account_, held_back_limit)),
      buffers_(buffer_size, kPostedBuffers + kReserveBuffers) {}

Packet FrameMemory::copy(Bytes frame) {
  if (frame.size() > kSmallFrame) {
    auto copy = copies_.allocate(frame_offset_ + frame.size());
    if (!copy) return {};
    std::memcpy(copy.bytes().data() + frame_offset_, frame.data(), frame.size());
    return packets_.adopt(std::move(copy), frame_offset_, frame.size());
  }
  Packet packet = packets_.allocate(frame.size(), frame_offset_);
  if (packet) std::memcpy(packet.make_private(frame.size()).data(), frame.data(), frame.size());
  return packet;
}

std::size_t FrameMemory::held() const {
  const std::size_t buffers = std::max(buffers_.in_use(), kPostedBuffers) - kPostedBuffers;
  const std::size_t sum = packets_.in_use() * kFrameCharge + buffers * buffers_.block_size() + copies_.bytes_out();
  return sum - std::min(sum, held_back_);
}

void FrameMemory::measure(std::size_t held_back) {
  held_back_ = held_back;
  account_->observe(Use::Drivers, held());
}

bool FrameMemory::admits(Bytes frame, stack::Medium medium) const {
  const std::size_t now = held(), most = account_->most(Use::Drivers), reserve = account_->reserve();
  if (now < most) return true;
  const FrameClass what = classify_frame(frame, medium);
  const std::size_t extra = what == FrameClass::Resolution ? reserve : what == FrameClass::Control ? reserve / 2 : 0;
  if (now < most + extra) return true;
  account_->count_refused(Use::Drivers);
  return false;
}

}  // namespace node
