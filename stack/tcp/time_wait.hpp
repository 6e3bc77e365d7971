// Connections whose application is done and whose endpoint is gone: what is left is a small block that acknowledges
// the peer's FIN and keeps old segments from a new connection. A block is in FIN_WAIT_2 (the peer's FIN has not come)
// or in TIME_WAIT.
//
// Bounded: when the table is full the oldest block goes. All blocks of one state live equally long, so that two lists
// in the order of their deadlines are all the timers there are.
#pragma once

#include <cstddef>
#include <list>
#include <optional>

#include "stack/tcp/four_tuple.hpp"
#include "stack/tcp/input_closed.hpp"
#include "stack/tcp/tcb.hpp"

namespace stack::tcp {

struct TimeWaitBlock {
  FourTuple tuple;
  State state = State::TimeWait;  // or FinWait2
  Seq snd_nxt{};
  Seq rcv_nxt{};
  std::uint32_t rcv_wnd = 0;
  std::uint16_t window = 0;  // the header's field
  bool timestamps_ok = false;
  std::uint32_t ts_offset = 0;
  std::uint32_t ts_recent = 0;
  TokenBucket challenge_acks;  // the connection's limit goes on
  Instant deadline = kNever;

  static TimeWaitBlock from(const Tcb& tcb, const FourTuple& tuple);
  Answer make_ack(Instant now) const;
};

// What a segment means to a block (RFC 9293 3.10.7.4, in its order). The block itself changes only in its numbers; its
// place in the table is the table's.
enum class TimeWaitVerdict : std::uint8_t {
  Ignore,
  Acknowledge,  // answer with an ACK
  Restart,      // the peer's FIN, for the first time or again: answer with an ACK, TIME_WAIT begins anew
  Reset,        // data for an application that is gone (RFC 9293 3.6.1): answer with a RST, the block ends
  End,          // a RST for a connection whose peer had not finished: the block ends
};
TimeWaitVerdict judge_for_time_wait(TimeWaitBlock& block, const Segment& segment, Instant now);

// A SYN that may begin a new connection in the place of the block (RFC 6191 2, RFC 9293 3.10.7.4).
bool may_reopen(const TimeWaitBlock& block, const Segment& syn);

class TimeWaitTable {
 public:
  using Block = std::list<TimeWaitBlock>::iterator;

  TimeWaitTable(std::size_t limit, Duration time_wait, Duration fin_wait_2)
      : limit_(limit), time_wait_(time_wait), fin_wait_2_(fin_wait_2) {}

  bool is_full() const { return size() >= limit_; }
  std::size_t size() const { return time_wait_list_.size() + fin_wait_list_.size(); }
  // The caller has made room.
  Block insert(TimeWaitBlock block, Instant now);
  // The block is (again) at the beginning of TIME_WAIT.
  void restart(Block block, Instant now);
  void erase(Block block);
  // The block that goes first: the oldest of the longer list.
  Block oldest();
  std::optional<Block> expired(Instant now);
  Instant next_deadline() const;

 private:
  std::size_t limit_;
  Duration time_wait_;
  Duration fin_wait_2_;
  std::list<TimeWaitBlock> time_wait_list_;  // by deadline
  std::list<TimeWaitBlock> fin_wait_list_;
};

}  // namespace stack::tcp
