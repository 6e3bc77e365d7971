// What may be sent now (RFC 9293 3.8.6.2.1 and 3.10.6, RFC 5681, RFC 6675 5): plans one segment at a time from the
// Tcb, in the order SYN, retransmission, new data and FIN, probe, acknowledgement. Never decides a state, never
// touches a packet: segment_builder.cpp makes one of the plan, and on_segment_sent() records that it left.
//
// A planned segment may be larger than the path's segments when the route can cut it below (`segment_size`).
#pragma once

#include <optional>

#include "stack/packet/packet_meta.hpp"
#include "stack/tcp/segment.hpp"
#include "stack/tcp/tcb.hpp"

namespace stack::tcp {

struct OutSegment {
  Seq seq{};
  Seq ack_number{};
  std::uint8_t flags = 0;
  std::uint16_t window = 0;
  wire::TcpOptions options{};
  std::uint32_t payload_size = 0;
  std::uint32_t segment_size = 0;  // payload of each segment to be cut from this one; 0: it is one segment
  Origin origin = Origin::TcpAck;
  bool is_retransmission = false;

  bool syn() const { return (flags & flag::kSyn) != 0; }
  bool fin() const { return (flags & flag::kFin) != 0; }
  Seq end() const { return seq + payload_size + (syn() ? 1U : 0U) + (fin() ? 1U : 0U); }
};

// The next segment that may leave. `large_send_max`: the largest payload of one packet, 0 for no more than a segment.
std::optional<OutSegment> next_segment(Tcb& tcb, std::uint32_t large_send_max, Instant now);

// The segment left with `payload_size` bytes, possibly fewer than planned. Records it, starts the timers.
void on_segment_sent(Tcb& tcb, const OutSegment& segment, Instant now);

// Something waits to be sent or acknowledged: unless it is done by then, R2 ends the connection (RFC 9293 3.8.3). An
// earlier limit stays.
void begin_give_up(Tcb& tcb, Instant now);

// Nothing more may be sent at present: arms the persist timer when only the peer's window is in the way.
void after_output(Tcb& tcb, Instant now);

// A RST that ends the connection: <SEQ=SND.NXT><ACK=RCV.NXT> with an ordinary timestamp, its number within the peer's
// window.
OutSegment abort_segment(const Tcb& tcb, Instant now);

}  // namespace stack::tcp
