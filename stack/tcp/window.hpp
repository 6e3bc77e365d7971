// Both windows (RFC 9293 3.8.6, RFC 7323 2): what we announce and when, what a segment must hit to be acceptable, and
// what the peer's announcements mean. Silly-window avoidance of the receiver is here, the sender's is in output.cpp.
#pragma once

#include "stack/tcp/segment.hpp"
#include "stack/tcp/tcb.hpp"

namespace stack::tcp {

inline constexpr std::uint8_t kMaxWindowScale = 14;  // RFC 7323 2.3

// The shift that lets a buffer of this size be announced whole.
std::uint8_t window_scale_for(std::size_t buffer_bytes);

// The header's window field as of now. `is_syn`: never scaled.
std::uint16_t window_field(const Tcb& tcb, bool is_syn);
// A segment with this field has left.
void on_window_announced(Tcb& tcb, std::uint16_t field, bool is_syn);
// The application has read so much that the peer must be told (RFC 9293 3.8.6.2.2).
bool needs_window_update(const Tcb& tcb);

// RFC 9293 3.4: the four cases of length and window.
bool is_acceptable(const Tcb& tcb, const Segment& segment);
// Cuts what lies before rcv_nxt and beyond the window, the FIN with it. Not for a SYN.
void trim_to_window(const Tcb& tcb, Segment& segment);

// SND.WND, SND.WL1, SND.WL2 (RFC 9293 3.10.7.4). Returns whether the window opened.
bool update_send_window(Tcb& tcb, const Segment& segment);

}  // namespace stack::tcp
