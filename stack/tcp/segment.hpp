// A received segment as values: nothing refers to the packet's header any more, so hooks may see and change the
// packet in between. The payload stays in the packet, which the segment owns until the receive queue takes it.
#pragma once

#include "stack/base/seq.hpp"
#include "stack/packet/packet.hpp"
#include "stack/wire/tcp.hpp"

namespace stack::tcp {

namespace flag = wire::tcp_flag;

struct Segment {
  Seq seq{};
  Seq ack_number{};
  std::uint32_t window = 0;  // the header's 16 bits, not scaled
  std::uint8_t flags = 0;
  wire::TcpOptions options{};
  std::uint32_t payload_size = 0;
  std::uint16_t segment_count = 1;  // how many of the peer's segments the link brought together
  bool syn_taken = false;           // take_syn() was called
  Packet packet{};                  // data at the payload; may be empty in tests of steps that do not touch bytes

  bool has(std::uint8_t bits) const { return (flags & bits) != 0; }
  bool fin() const { return has(flag::kFin); }
  bool syn() const { return has(flag::kSyn); }
  bool rst() const { return has(flag::kRst); }
  bool ack() const { return has(flag::kAck); }
  // SEG.LEN of RFC 9293 3.3.1: SYN and FIN count.
  std::uint32_t length() const { return payload_size + (syn() ? 1U : 0U) + (fin() ? 1U : 0U); }
  Seq end() const { return seq + length(); }
  // Where the payload begins in the sequence space.
  Seq data_begin() const { return seq + (syn() ? 1U : 0U); }
  Seq data_end() const { return data_begin() + payload_size; }
  // The window in bytes; on a SYN it is never scaled (RFC 7323 2.2).
  std::uint32_t window_bytes(std::uint8_t scale) const { return window << (syn() || syn_taken ? 0 : scale); }
  // The SYN has been dealt with: what follows it is ordinary text.
  void take_syn() {
    seq += 1;
    flags &= static_cast<std::uint8_t>(~flag::kSyn);
    syn_taken = true;
  }

  // Of the packet that `view` was parsed from, whose data is at the TCP header; afterwards at the payload.
  static Segment take(const wire::TcpView& view, Packet packet);
};

}  // namespace stack::tcp
