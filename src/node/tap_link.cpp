#include "src/node/tap_link.hpp"

#include <sys/uio.h>

#include <algorithm>

#include "src/node/vnet_translation.hpp"

namespace node {

using stack::Bytes;
using stack::Direction;
using stack::Packet;

namespace {

// The IP header behind a 14-byte Ethernet header then lies on a cache line.
constexpr std::size_t kFrameOffset = 64 - 14;
constexpr std::size_t kBufferSize = kFrameOffset + tap::kMaxFrameSize + 1;

}  // namespace

TapLink::TapLink(tap::FrameIo& frames, const Settings& settings, std::shared_ptr<stack::Account> memory,
                 stack::RandomSource& random, FrameObserver* observer)
    : frames_(frames),
      settings_(settings),
      observer_(observer),
      memory_(std::move(memory), kBufferSize, kFrameOffset, settings.impairment.any() ? 2 * Impairer::kLimit : 0),
      inbound_(settings.impairment, random, memory_.packets()),
      outbound_(settings.impairment, random, memory_.packets()) {
  for (std::size_t slot = 0; slot < kPostedBuffers; ++slot) {
    posted_[slot] = memory_.take_buffer();
    post(slot);
  }
}

TapLink::~TapLink() {
  flush();
  while (frames_.take_back_buffer().data != nullptr) {
  }
}

void TapLink::post(std::size_t slot) {
  const auto bytes = posted_[slot].bytes().subspan(kFrameOffset);
  frames_.post({bytes.data(), bytes.size(), reinterpret_cast<void*>(slot)});
}

stack::LinkCapabilities TapLink::capabilities() const {
  const auto& granted = settings_.offloads;
  return {.checksum = granted.checksum, .tso4 = granted.tso4, .tso6 = granted.tso6};
}

// --- receive ---

void TapLink::process(const tap::Completions& completions, stack::Instant now, const Deliver& deliver) {
  now_ = now;
  memory_.measure(inbound_.memory() + outbound_.memory());
  for (const auto& received : completions.received) receive(received, deliver);
  release(completions.transmitted);
}

void TapLink::receive(const tap::Received& received, const Deliver& deliver) {
  const auto slot = reinterpret_cast<std::size_t>(received.buffer.cookie);
  if (received.status != tap::ReceiveStatus::Ok) {
    ++counts_.receive_malformed;
    return post(slot);
  }
  Packet frame = take_frame(slot, received.length);
  post(slot);
  if (!frame) {
    ++counts_.receive_no_memory;
    return;
  }
  apply_received(received.header, frame);
  frame.meta().received_at = now_;
  if (observer_ != nullptr) observe(Direction::Inbound, frame, received.header);
  if (settings_.impairment.any())
    inbound_.offer(std::move(frame), now_);
  else
    deliver(std::move(frame));
}

Packet TapLink::take_frame(std::size_t slot, std::size_t length) {
  const Bytes frame = Bytes{posted_[slot].bytes()}.subspan(kFrameOffset, length);
  if (!memory_.admits(frame, settings_.medium)) return {};
  // What an impairment holds back would keep the buffers for long.
  if (length > FrameMemory::kSmallFrame && !settings_.impairment.any()) {
    if (auto fresh = memory_.take_buffer()) {
      ++counts_.received_in_place;
      return memory_.adopt(std::exchange(posted_[slot], std::move(fresh)), length);
    }
    ++counts_.reserve_exhausted;
  }
  ++counts_.received_copied;
  return memory_.copy(frame);
}

void TapLink::run_due(stack::Instant now, const Deliver& deliver) {
  now_ = now;
  while (auto frame = inbound_.take_due(now)) deliver(std::move(*frame));
  while (auto frame = outbound_.take_due(now)) submit(std::move(*frame));
}

stack::Instant TapLink::next_deadline() const {
  return std::min(inbound_.next_deadline(), outbound_.next_deadline());
}

// --- transmit ---

bool TapLink::transmit(Packet frame) {
  if (!settings_.impairment.any()) return submit(std::move(frame));
  outbound_.offer(std::move(frame), now_);
  return true;
}

bool TapLink::submit(Packet frame) {
  const auto header = make_vnet_header(frame);
  const auto list = gather(frame);
  bool is_queued = frames_.submit(list, header, frame.nbl());
  if (!is_queued) {
    flush();  // the queue was full; what the device takes at once makes room
    is_queued = frames_.submit(list, header, frame.nbl());
  }
  if (!is_queued) {
    ++counts_.transmit_refused;
    return false;
  }
  if (observer_ != nullptr) observe(Direction::Outbound, frame, header);
  frame.release_nbl();  // comes back with the completion
  ++in_flight_;
  return true;
}

std::span<const iovec> TapLink::gather(const Packet& frame) {
  Bytes few[kUsualRanges];
  std::size_t count = frame.ranges(few, kUsualRanges);
  const Bytes* ranges = few;
  if (count > kUsualRanges) {
    many_ranges_.resize(count);
    frame.ranges(many_ranges_.data(), count);
    ranges = many_ranges_.data();
  }
  gathered_.resize(std::max(gathered_.size(), count));
  std::transform(ranges, ranges + count, gathered_.begin(), [](Bytes range) {
    return iovec{const_cast<std::byte*>(range.data()), range.size()};
  });
  return {gathered_.data(), count};
}

void TapLink::flush() { release(frames_.flush()); }

void TapLink::release(std::span<const tap::Transmitted> transmitted) {
  for (const auto& done : transmitted) {
    if (done.result != tap::TransmitResult::Sent) ++counts_.transmit_failed;
    Packet::take(static_cast<_NET_BUFFER_LIST*>(done.cookie)).reset();
    --in_flight_;
  }
}

void TapLink::observe(Direction direction, const Packet& frame, const tap::VnetHeader& header) {
  scratch_.resize(frame.size());
  frame.copy_out(0, scratch_);
  finish_frame_checksum(header, scratch_);
  observer_->frame(direction, scratch_, header.gso_size, now_);
}

}  // namespace node
