#include "stack/tcp/window.hpp"

#include <algorithm>

namespace stack::tcp {
namespace {

// What may come beyond the bytes that nobody has read yet. Bytes behind a hole lie within the window already.
std::uint32_t receive_room(const Tcb& tcb) {
  const std::size_t limit = tcb.receive_limit_now(), used = tcb.received.size();
  return static_cast<std::uint32_t>(used < limit ? limit - used : 0);
}

}  // namespace

std::uint8_t window_scale_for(std::size_t buffer_bytes) {
  std::uint8_t shift = 0;
  while (shift < kMaxWindowScale && (std::size_t{65'535} << shift) < buffer_bytes) ++shift;
  return shift;
}

std::uint16_t window_field(const Tcb& tcb, bool is_syn) {
  const std::uint32_t room = receive_room(tcb);
  if (is_syn) return static_cast<std::uint16_t>(std::min<std::uint32_t>(room, 65'535));
  const std::uint32_t announced = tcb.rcv_wnd();
  const std::uint32_t step =
      std::min(static_cast<std::uint32_t>(tcb.receive_limit / 2), tcb.max_payload(0));  // RFC 9293 3.8.6.2.2
  // The right edge never moves left (rounding up keeps the promise), and moves right only by a worthwhile step.
  const std::uint32_t unit = 1U << tcb.rcv_scale;
  std::uint32_t field = (announced + unit - 1) >> tcb.rcv_scale;
  if (room > announced && room - announced >= step) field = std::max(field, room >> tcb.rcv_scale);
  return static_cast<std::uint16_t>(std::min<std::uint32_t>(field, 65'535));
}

void on_window_announced(Tcb& tcb, std::uint16_t field, bool is_syn) {
  const std::uint32_t window = std::uint32_t{field} << (is_syn ? 0 : tcb.rcv_scale);
  tcb.rcv_adv = later(tcb.rcv_adv, tcb.rcv_nxt + window);
}

bool needs_window_update(const Tcb& tcb) {
  const std::uint32_t field_window = std::uint32_t{window_field(tcb, false)} << tcb.rcv_scale;
  const std::uint32_t announced = tcb.rcv_wnd();
  if (field_window <= announced) return false;
  const std::uint32_t gain = field_window - announced;
  // A sender with two segments of room is not blocked; it is told when a quarter of what it may use has become free.
  return announced < 2 * tcb.max_payload(0) || gain >= tcb.receive_limit_now() / 4;
}

bool is_acceptable(const Tcb& tcb, const Segment& segment) {
  const std::uint32_t window = tcb.rcv_wnd();
  const std::uint32_t length = segment.rst() ? 0 : segment.length();  // RFC 5961 3.2 looks at SEG.SEQ alone
  if (length == 0) return window == 0 ? segment.seq == tcb.rcv_nxt : segment.seq.within(tcb.rcv_nxt, window);
  if (window == 0) return false;
  const Seq last = segment.seq + (length - 1);
  return segment.seq.within(tcb.rcv_nxt, window) || last.within(tcb.rcv_nxt, window) ||
         (segment.seq.before(tcb.rcv_nxt) && last.after(tcb.rcv_nxt));
}

void trim_to_window(const Tcb& tcb, Segment& segment) {
  DCHECK(!segment.syn());
  if (segment.seq.before(tcb.rcv_nxt)) {
    const std::uint32_t old = tcb.rcv_nxt - segment.seq;
    const std::uint32_t cut = std::min(old, segment.payload_size);
    if (segment.packet && cut > 0) segment.packet.pull(cut);
    segment.payload_size -= cut;
    if (cut < old) segment.flags &= static_cast<std::uint8_t>(~flag::kFin);
    segment.seq = tcb.rcv_nxt;
  }
  const Seq edge = tcb.rcv_nxt + tcb.rcv_wnd();
  if (segment.length() == 0 || segment.end().at_or_before(edge)) return;
  segment.flags &= static_cast<std::uint8_t>(~flag::kFin);
  if (segment.data_end().after(edge)) {
    segment.payload_size = edge.after(segment.data_begin()) ? edge - segment.data_begin() : 0;
    if (segment.packet) segment.packet.trim(segment.payload_size);
  }
}

bool update_send_window(Tcb& tcb, const Segment& segment) {
  const bool is_newer =
      tcb.snd_wl1.before(segment.seq) || (tcb.snd_wl1 == segment.seq && tcb.snd_wl2.at_or_before(segment.ack_number));
  if (!is_newer) return false;
  const std::uint32_t before = tcb.snd_wnd;
  tcb.snd_wnd = segment.window_bytes(tcb.snd_scale);
  tcb.max_snd_wnd = std::max(tcb.max_snd_wnd, tcb.snd_wnd);
  tcb.snd_wl1 = segment.seq;
  tcb.snd_wl2 = segment.ack_number;
  return tcb.snd_wnd > before;
}

}  // namespace stack::tcp
