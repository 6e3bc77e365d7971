// Packet: move-only owner of one reference to one NET_BUFFER_LIST. The stack's packet *is* the NDIS object, because a
// callout may reference, clone, keep and reinject the very buffer that it was shown.
//
// Passing a Packet by value means "yours now"; const Packet& means "look until I return". Data is one NET_BUFFER: a
// chain of memory descriptors with a data offset. pull() and push() move that offset; pulled header bytes stay in
// place, so that a callout can retreat to them. Bytes that others may see (references, clones, shared blocks) are
// never written: make_private() first. Not thread-safe; the last reference may be dropped on any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "stack/base/bytes.hpp"
#include "stack/packet/buffer.hpp"
#include "stack/packet/packet_meta.hpp"

struct _NET_BUFFER_LIST;

namespace stack {

// Checksum facts of a packet (TcpIpChecksumNetBufferListInfo). A partial checksum is one whose field holds only the sum
// over the pseudo header: to be finished before the packet meets a wire. What never met one (it comes from loopback, or
// from the kernel behind a TAP) arrives verified and still partial.
struct ChecksumInfo {
  bool ip_verified = false;         // receive
  bool transport_verified = false;  // receive
  bool transport_partial = false;   // both ways
};

// A TCP segment larger than the path's segments, to be cut below (TcpLargeSendNetBufferListInfo). segment_size 0:
// none.
struct LargeSend {
  std::uint32_t segment_size = 0;  // payload bytes of each segment but the last
};

// A received TCP segment that the link coalesced (TcpRecvSegCoalesceInfo). segment_count 0 or 1: none.
struct Coalesced {
  std::uint16_t segment_count = 0;
  std::uint16_t segment_size = 0;  // payload bytes of each original segment but the last
};

class Packet {
 public:
  Packet() = default;
  static Packet take(_NET_BUFFER_LIST* reference);  // takes over one reference; the data starts where the NBL says
  Packet(Packet&& other) noexcept : nbl_(other.nbl_) { other.nbl_ = nullptr; }
  Packet& operator=(Packet&& other) noexcept;
  ~Packet() { reset(); }

  explicit operator bool() const { return nbl_ != nullptr; }
  _NET_BUFFER_LIST* nbl() const { return nbl_; }
  _NET_BUFFER_LIST* release_nbl();  // gives the reference to the caller
  void reset();

  // --- bytes ---
  std::size_t size() const;
  bool empty() const { return size() == 0; }
  // The first `count` bytes in one piece. Headers that straddle two descriptors are brought together. count <=
  // size().
  Bytes head(std::size_t count);
  // Everything in one piece when it already is; otherwise an empty span although size() > 0.
  Bytes contiguous() const;
  std::size_t copy_out(std::size_t offset, MutableBytes into) const;   // bytes copied
  void for_each_range(const std::function<void(Bytes)>& visit) const;  // the data, descriptor by descriptor
  // The same with the block that each range lies in, shared: what is kept of it outlives the packet. Memory of a
  // driver is only lent, so the range is a copy then. False: there was no memory for that; not all was visited.
  bool for_each_block(const std::function<void(BufferRef block, std::size_t offset, std::size_t size)>& visit) const;
  // Gather list for a device: fills at most `limit` ranges, returns how many there are in all.
  std::size_t ranges(Bytes* into, std::size_t limit) const;

  void pull(std::size_t count);          // the data starts `count` bytes later; count <= size()
  void restore(std::size_t count);       // undoes a pull of `count` bytes
  MutableBytes push(std::size_t count);  // `count` fresh writable bytes in front, in one piece
  void trim(std::size_t size);           // keeps the first `size` bytes
  bool append(const BufferRef& block, std::size_t offset, std::size_t count);  // shares; false: no descriptor left
  // Writable view of the first `count` bytes; they become this packet's own if they are shared. Empty: no buffer
  // left.
  MutableBytes make_private(std::size_t count);
  bool is_shared() const;

  // --- other owners ---
  Packet share() const;  // one more reference to the same object

  // --- facts ---
  PacketMeta& meta();
  const PacketMeta& meta() const;
  const PacketMeta* parent_meta() const;  // of the packet that this one was cloned from; null when it is no clone
  ChecksumInfo checksum() const;
  void set_checksum(ChecksumInfo info);
  LargeSend large_send() const;
  void set_large_send(LargeSend info);
  Coalesced coalesced() const;
  void set_coalesced(Coalesced info);

 private:
  explicit Packet(_NET_BUFFER_LIST* reference) : nbl_(reference) {}
  _NET_BUFFER_LIST* nbl_ = nullptr;
};

}  // namespace stack
