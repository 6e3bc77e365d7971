// The variables of one connection (RFC 9293 3.3.1 and what later RFCs add), grouped by who changes them. Plain data
// with a few questions about it: the protocol's steps are free functions on a Tcb, so that each runs and is tested
// without a stack.
#pragma once

#include <algorithm>
#include <memory>

#include "stack/base/address.hpp"
#include "stack/base/teller.hpp"
#include "stack/base/token_bucket.hpp"
#include "stack/tcp/config.hpp"
#include "stack/tcp/congestion.hpp"
#include "stack/tcp/out_of_order.hpp"
#include "stack/tcp/receive_queue.hpp"
#include "stack/tcp/recovery.hpp"
#include "stack/tcp/rtt.hpp"
#include "stack/tcp/scoreboard.hpp"
#include "stack/tcp/send_buffer.hpp"
#include "stack/tcp/state.hpp"
#include "stack/tcp/timers.hpp"

namespace stack::tcp {

// Milliseconds, RFC 7323 5.4.
constexpr std::uint32_t timestamp_of(Instant now, std::uint32_t offset) {
  return static_cast<std::uint32_t>(now.ns() / 1'000'000) + offset;
}

// Payload of a segment without options on a path of this MTU (RFC 9293 3.7.1).
constexpr std::uint32_t path_mss_of(std::uint32_t mtu, Family family) {
  const std::uint32_t headers = family == Family::V4 ? 40 : 60;
  return mtu > headers ? mtu - headers : 0;
}

struct Tcb {
  static constexpr std::uint32_t kDefaultMssV4 = 536;  // RFC 9293 3.7.1: without the peer's option
  static constexpr std::uint32_t kDefaultMssV6 = 1'220;
  static constexpr std::uint32_t kTimestampsSize = 12;  // padded
  // The least that a peer or a path may ask for, options included: eight bytes of payload beside a full header. Below
  // it a stream of headers would cost more than it carries; a peer that asks for less gets this.
  static constexpr std::uint32_t kSmallestMss = 48;
  static constexpr std::size_t kLeastReceiveLimit = 8'192;

  // `teller`: of the account that bounds what is received, over all connections.
  Tcb(const TcpConfig& configuration, Family address_family, std::shared_ptr<Teller> teller);

  const TcpConfig* config;  // of the module, which outlives every connection
  Family family;
  State state = State::Closed;
  bool is_active_open = false;

  // --- sending: output, ack, window ---
  Seq iss{};
  Seq snd_una{};
  Seq snd_nxt{};
  Seq buffer_begin{};   // sequence number of the first byte in `send`
  Seq snd_small_end{};  // end of the last segment sent below full size (Nagle, after Minshall), or SND.UNA beyond it
  Seq snd_wl1{};        // segment that last updated the window
  Seq snd_wl2{};
  std::uint32_t snd_wnd = 0;  // bytes, scaled
  std::uint32_t max_snd_wnd = 0;
  std::uint8_t snd_scale = 0;  // shift of the windows that we receive
  SendBuffer send;
  bool fin_queued = false;    // the application has finished; the FIN follows the last byte of `send`
  bool no_delay = false;      // Nagle off
  bool override_sws = false;  // the timer says: send what fits, however little (RFC 9293 3.8.6.2.1 (4)), once

  // --- receiving: window, input_*, out_of_order ---
  Seq irs{};
  Seq rcv_nxt{};
  Seq rcv_adv{};  // right edge as announced; never moves left
  Seq last_ack_sent{};
  std::uint8_t rcv_scale = 0;  // shift of the windows that we announce
  std::size_t receive_limit;   // of its own; receive_limit_now() is what the account leaves of it
  std::shared_ptr<Teller> memory;
  ReceiveQueue received;
  OutOfOrder out_of_order;
  bool fin_received = false;  // in order: the stream has ended
  bool reader_gone = false;   // the application has closed: more data is answered by a reset (RFC 9293 3.6.1)

  // --- options agreed on ---
  bool sack_ok = false;
  bool timestamps_ok = false;
  bool timestamps_seen = false;  // the peer has sent one since its SYN
  bool window_scale_ok = false;
  std::uint32_t ts_offset = 0;  // random for each pair of endpoints
  std::uint32_t ts_recent = 0;
  Instant ts_recent_at{};

  // --- segment size ---
  std::uint32_t peer_mss;  // from its option, or the default
  std::uint32_t path_mss;  // path MTU without IP and TCP headers

  // --- loss and congestion: ack, retransmit ---
  Scoreboard scoreboard;
  Recovery recovery;
  RttEstimator rtt;
  std::unique_ptr<Congestion> congestion;
  Instant last_sent_at{};                 // of data
  std::uint32_t delivered_uncounted = 0;  // bytes that have arrived, for which the window has not grown yet
  unsigned syn_retransmissions = 0;
  unsigned persist_probes = 0;  // sent into the peer's closed window since it closed

  // --- acknowledging ---
  bool ack_now = false;
  bool window_update_due = false;      // the application has read so much that the peer must hear of it
  std::uint32_t unacked_segments = 0;  // received since the last ACK left, of full size
  std::uint32_t rcv_mss = 0;           // the largest segment that the peer has sent
  TokenBucket challenge_acks;          // limit on ACKs that answer suspect segments (RFC 5961 7)
  bool keep_alive_due = false;         // a probe is to be sent
  unsigned keep_alive_unanswered = 0;
  bool keep_alive = false;
  Duration keep_alive_idle;
  Duration keep_alive_interval;
  unsigned keep_alive_count;
  Instant last_received_at{};
  Duration give_up_after;  // R2

  Timers timers;

  // Largest payload of one segment as of now; `options_size` is what its header carries beyond 20 bytes.
  std::uint32_t max_payload(std::uint32_t options_size) const;
  // The sender's maximum segment size, with the options of every data segment taken off.
  std::uint32_t mss() const { return max_payload(timestamps_ok ? kTimestampsSize : 0); }

  Seq buffer_end() const { return buffer_begin + static_cast<std::uint32_t>(send.size()); }
  Seq fin_seq() const { return buffer_end(); }  // meaningful once fin_queued
  bool fin_sent() const { return fin_queued && snd_nxt.after(fin_seq()); }
  bool fin_acked() const { return fin_queued && snd_una.after(fin_seq()); }
  bool has_outstanding() const { return snd_una != snd_nxt; }
  // Bytes (and the FIN) that were never sent.
  std::uint32_t unsent() const { return snd_nxt.before(buffer_end()) ? buffer_end() - snd_nxt : 0; }
  bool has_unsent() const { return unsent() > 0 || (fin_queued && !fin_sent()); }
  // What the peer's window leaves, which may have shrunk below what is out.
  std::uint32_t window_left() const {
    const Seq edge = snd_una + snd_wnd;
    return edge.after(snd_nxt) ? edge - snd_nxt : 0;
  }
  // For a segment without text: SND.NXT, unless that lies beyond the peer's window (a probe is out, or the window
  // shrank), where the peer drops all but SYN's answer. Then the window's right edge, which is RCV.NXT of a peer whose
  // window is closed (RFC 9293 3.10.7.4).
  Seq acceptable_seq() const { return state == State::SynReceived ? snd_nxt : earlier(snd_nxt, snd_una + snd_wnd); }
  std::uint32_t rcv_wnd() const { return rcv_adv - rcv_nxt; }
  // Unread bytes that the account can take from one connection as of now; enough to get on with even when there is
  // nothing left. What was announced before stays announced.
  std::size_t receive_limit_now() const {
    return std::min(receive_limit, std::max(memory->share(), kLeastReceiveLimit));
  }
  // RFC 6928 2; one segment when the SYN was lost more than once (RFC 5681 3.1).
  std::uint32_t initial_window() const;
  std::uint32_t in_flight() const { return recovery.in_flight(scoreboard, congestion->mss()); }
  std::uint32_t timestamp(Instant now) const { return timestamp_of(now, ts_offset); }

  // The first sequence number is chosen; nothing is sent yet.
  void begin_send(Seq first);
  // The peer's first sequence number is known.
  void begin_receive(Seq first);
  // Everything that the two SYNs agreed on is known: windows and segment sizes begin to count.
  void begin_transfer();
  // The path or the peer's MSS changed.
  void update_mss();
};

}  // namespace stack::tcp
