// The memory of one link's received frames: the buffers that the device fills, packets for small frames, and copies of
// large ones when readers keep the buffers. The stack keeps none of it beyond a round, so what is out between rounds is
// with callouts or held back by an impairment: that is measured here for the account.
//
// Callouts may keep up to their part of the account. Beyond it ordinary frames are refused, so that a driver's queue, or
// whoever fills it, cannot make the host deaf: pings and SYNs use half of the reserve, address resolution all of it.
// Used on the processor's thread; memory comes back from any.
#pragma once

#include <memory>

#include "src/node/frame_class.hpp"
#include "stack/base/account.hpp"
#include "stack/packet/packet_pool.hpp"

namespace node {

class FrameMemory {
 public:
  static constexpr std::size_t kPostedBuffers = 16;    // with the device
  static constexpr std::size_t kReserveBuffers = 192;  // beyond them
  static constexpr std::size_t kSmallFrame = 1'600;    // bytes; an ordinary frame has its memory in its packet
  static constexpr std::size_t kFrameCharge = stack::kPacketMemory + 2'048;  // a packet with that memory
  // What a frame holds that is not in a buffer of the device.
  static constexpr std::size_t charge_of(std::size_t size) { return kFrameCharge + (size > kSmallFrame ? size : 0); }

  // Buffers of `buffer_size`, with the frame from `frame_offset` on. `held_back_limit`: frames that impairments have.
  FrameMemory(std::shared_ptr<stack::Account> account, std::size_t buffer_size, std::size_t frame_offset,
              std::size_t held_back_limit);

  stack::BufferRef take_buffer() { return buffers_.allocate(); }  // for the device; empty: all are out
  stack::Packet copy(stack::Bytes frame);
  stack::Packet adopt(stack::BufferRef buffer, std::size_t size) {
    return packets_.adopt(std::move(buffer), frame_offset_, size);
  }
  stack::PacketPool& packets() { return packets_; }

  // Between rounds: what is out, without `held_back` bytes of impairments, is the drivers'.
  void measure(std::size_t held_back);
  // Whether there is memory for a frame as of now.
  bool admits(stack::Bytes frame, stack::Medium medium) const;

 private:
  std::size_t held() const;

  std::shared_ptr<stack::Account> account_;
  std::size_t frame_offset_;
  stack::PacketPool packets_;
  stack::BufferPool buffers_;
  stack::MeteredBuffers copies_;
  std::size_t held_back_ = 0;
};

}  // namespace node
