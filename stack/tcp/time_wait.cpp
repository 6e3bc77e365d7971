#include "stack/tcp/time_wait.hpp"

#include "stack/tcp/window.hpp"

namespace stack::tcp {
namespace {

TimeWaitVerdict acknowledge(TimeWaitBlock& block, Instant now) {
  return block.challenge_acks.take(now) ? TimeWaitVerdict::Acknowledge : TimeWaitVerdict::Ignore;
}

// RFC 9293 3.4, for text and FIN; a closed window still takes the number after rcv_nxt.
bool is_in_window(const TimeWaitBlock& block, const Segment& segment) {
  const Seq edge = block.rcv_nxt + std::max(block.rcv_wnd, 1U);
  const bool is_new =
      segment.length() == 0 ? segment.seq.at_or_after(block.rcv_nxt) : segment.end().after(block.rcv_nxt);
  return is_new && segment.seq.before(edge);
}

bool is_old_by_timestamp(const TimeWaitBlock& block, const Segment& segment) {
  return block.timestamps_ok && segment.options.timestamps &&
         Seq{segment.options.timestamps->value}.before(Seq{block.ts_recent});
}

}  // namespace

// RFC 6191 2: a newer timestamp, or a sequence number beyond all that was used.
bool may_reopen(const TimeWaitBlock& block, const Segment& syn) {
  if (block.state != State::TimeWait || !syn.syn() || syn.ack() || syn.rst() || syn.fin()) return false;
  const bool is_beyond = syn.seq.at_or_after(block.rcv_nxt);
  if (!syn.options.timestamps) return is_beyond;
  if (!block.timestamps_ok) return true;
  const Seq value{syn.options.timestamps->value};
  return value.after(Seq{block.ts_recent}) || (value == Seq{block.ts_recent} && is_beyond);
}

TimeWaitBlock TimeWaitBlock::from(const Tcb& tcb, const FourTuple& tuple) {
  return {.tuple = tuple,
          .state = tcb.state,
          .snd_nxt = tcb.snd_nxt,
          .rcv_nxt = tcb.rcv_nxt,
          .rcv_wnd = tcb.rcv_wnd(),
          .window = window_field(tcb, false),
          .timestamps_ok = tcb.timestamps_ok,
          .ts_offset = tcb.ts_offset,
          .ts_recent = tcb.ts_recent,
          .challenge_acks = tcb.challenge_acks};
}

Answer TimeWaitBlock::make_ack(Instant now) const {
  Answer answer{.seq = snd_nxt, .ack_number = rcv_nxt, .flags = flag::kAck, .window = window};
  if (timestamps_ok) answer.options.timestamps = wire::Timestamps{timestamp_of(now, ts_offset), ts_recent};
  return answer;
}

TimeWaitVerdict judge_for_time_wait(TimeWaitBlock& block, const Segment& segment, Instant now) {
  if (segment.rst()) {
    // RFC 1337: a RST does not shorten TIME_WAIT. One for FIN_WAIT_2 must be exact (RFC 5961 3.2).
    const bool ends = block.state == State::FinWait2 && segment.seq == block.rcv_nxt;
    return ends ? TimeWaitVerdict::End : TimeWaitVerdict::Ignore;
  }
  if (segment.syn() || is_old_by_timestamp(block, segment)) return acknowledge(block, now);
  const bool is_fin_again = block.state == State::TimeWait && segment.fin() && segment.end() == block.rcv_nxt;
  if (!is_fin_again && !is_in_window(block, segment)) return acknowledge(block, now);
  if (!segment.ack()) return TimeWaitVerdict::Ignore;
  if (segment.ack_number.after(block.snd_nxt)) return acknowledge(block, now);
  if (block.timestamps_ok && segment.options.timestamps && segment.seq.at_or_before(block.rcv_nxt))
    block.ts_recent = segment.options.timestamps->value;
  if (is_fin_again) return TimeWaitVerdict::Restart;  // our ACK was lost
  if (block.state == State::FinWait2) {
    if (segment.payload_size > 0 && segment.data_end().after(block.rcv_nxt)) return TimeWaitVerdict::Reset;
    if (segment.fin() && segment.data_end() == block.rcv_nxt) {
      block.rcv_nxt += 1;
      return TimeWaitVerdict::Restart;
    }
  }
  const bool is_expected = segment.length() == 0 && segment.seq == block.rcv_nxt;
  return is_expected ? TimeWaitVerdict::Ignore : acknowledge(block, now);
}

TimeWaitTable::Block TimeWaitTable::insert(TimeWaitBlock block, Instant now) {
  const bool waits = block.state == State::TimeWait;
  block.deadline = now + (waits ? time_wait_ : fin_wait_2_);
  auto& list = waits ? time_wait_list_ : fin_wait_list_;
  list.push_back(std::move(block));
  return std::prev(list.end());
}

void TimeWaitTable::restart(Block block, Instant now) {
  block->deadline = now + time_wait_;
  auto& from = block->state == State::TimeWait ? time_wait_list_ : fin_wait_list_;
  block->state = State::TimeWait;
  time_wait_list_.splice(time_wait_list_.end(), from, block);
}

void TimeWaitTable::erase(Block block) {
  (block->state == State::TimeWait ? time_wait_list_ : fin_wait_list_).erase(block);
}

TimeWaitTable::Block TimeWaitTable::oldest() {
  CHECK(size() > 0);
  return time_wait_list_.size() >= fin_wait_list_.size() ? time_wait_list_.begin() : fin_wait_list_.begin();
}

std::optional<TimeWaitTable::Block> TimeWaitTable::expired(Instant now) {
  for (auto* list : {&time_wait_list_, &fin_wait_list_})
    if (!list->empty() && list->front().deadline <= now) return list->begin();
  return std::nullopt;
}

Instant TimeWaitTable::next_deadline() const {
  Instant next = kNever;
  for (const auto* list : {&time_wait_list_, &fin_wait_list_})
    if (!list->empty()) next = std::min(next, list->front().deadline);
  return next;
}

}  // namespace stack::tcp
