// Where packets come from. One pool a processor: allocation is for its thread alone, packets may come home from any.
// Exhaustion is not an error of the caller: it gets an empty Packet and counts Drop::NoBuffers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stack/packet/packet.hpp"

namespace stack {

// Room in front of the payload for every header that this stack pushes: TCP with options, IPv6 with a fragment
// header, Ethernet; and the alignment of the first of them.
inline constexpr std::size_t kHeadroom = 192;

// The objects of a packet, without its bytes.
inline constexpr std::size_t kPacketMemory = 1'280;

class PacketPool {
 public:
  static constexpr std::size_t kDefaultLimit = 65'536;

  explicit PacketPool(std::size_t limit = kDefaultLimit);
  ~PacketPool();
  PacketPool(const PacketPool&) = delete;
  PacketPool& operator=(const PacketPool&) = delete;

  // `size` writable bytes after `headroom`; metadata cleared. Up to 2 KiB in all come in one piece of pooled memory.
  Packet allocate(std::size_t size, std::size_t headroom = kHeadroom);
  // A packet over bytes that are already there, such as a received frame. No copy.
  Packet adopt(BufferRef block, std::size_t offset, std::size_t size);

  // A new packet over bytes [offset, offset + count) of another, sharing its blocks, with `headroom` bytes of its own
  // in front; metadata copied, offload facts not.
  Packet slice(const Packet& of, std::size_t offset, std::size_t count, std::size_t headroom = kHeadroom);

  // What is to be kept for long: a packet in memory of its own size, with the data, the `before` bytes that were pulled
  // in front of it, metadata and offload facts. Nothing of the other one, or of what it was cloned from, is held.
  Packet copy(Packet& of, std::size_t before = 0);
  // What such a copy holds, whatever its size says.
  static constexpr std::size_t charge_of(std::size_t size) { return kPacketMemory + kHeadroom + size; }

  std::size_t in_use() const;  // packets made here that still exist anywhere
  std::uint64_t failures() const;

 private:
  struct Impl;
  Impl* impl_;
};

}  // namespace stack
