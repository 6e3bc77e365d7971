// The stack's network interface card: one queue of a TAP or TUN device. Translates between the stack's offload facts
// and the virtio-net header, lends the device its receive buffers, and lets an observer and an impairment stand in
// between.
//
// Receive buffers hold 64 KiB frames, and few are in flight. A small frame is copied out, so that its buffer can go
// back to the device at once; a large one keeps its buffer, which is replaced from a bounded reserve; when that is
// used up, large frames are copied into memory of their own size; when callouts keep too much of it (FrameMemory), the
// frame is lost and counted. Used on the processor's thread.
#pragma once

#include <sys/uio.h>

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "src/node/frame_memory.hpp"
#include "src/node/impairment.hpp"
#include "src/node/node.hpp"
#include "stack/link/link.hpp"
#include "tap/device.hpp"
#include "tap/frame_io.hpp"

namespace node {

class TapLink final : public stack::Link {
 public:
  static constexpr std::size_t kPostedBuffers = FrameMemory::kPostedBuffers;
  static constexpr std::size_t kUsualRanges = 16;  // memory ranges of a frame; more are possible and slower

  struct Settings {
    stack::Medium medium = stack::Medium::Ethernet;
    std::uint32_t mtu = 1500;
    stack::MacAddress mac;
    tap::Offloads offloads;  // what the device granted
    Impairment impairment;
  };
  using Deliver = std::function<void(stack::Packet)>;

  // `frames` and `random` outlive the link; `observer` may be null.
  TapLink(tap::FrameIo& frames, const Settings& settings, std::shared_ptr<stack::Account> memory,
          stack::RandomSource& random, FrameObserver* observer);
  ~TapLink() override;

  // --- the node's side ---
  // Frames go up through `deliver`, what was sent is released.
  void process(const tap::Completions& completions, stack::Instant now, const Deliver& deliver);
  // Frames that an impairment held back and that are due now, in both directions.
  void run_due(stack::Instant now, const Deliver& deliver);
  stack::Instant next_deadline() const;
  void set_offloads(const tap::Offloads& granted) { settings_.offloads = granted; }
  const LinkCounts& counts() const { return counts_; }
  bool is_idle() const { return in_flight_ == 0 && inbound_.under_way() == 0 && outbound_.under_way() == 0; }

  // --- the stack's side ---
  stack::Medium medium() const override { return settings_.medium; }
  std::uint32_t mtu() const override { return settings_.mtu; }
  stack::MacAddress mac() const override { return settings_.mac; }
  stack::LinkCapabilities capabilities() const override;
  bool transmit(stack::Packet frame) override;
  void flush() override;

 private:
  void post(std::size_t slot);
  void receive(const tap::Received& received, const Deliver& deliver);
  stack::Packet take_frame(std::size_t slot, std::size_t length);
  bool submit(stack::Packet frame);
  std::span<const iovec> gather(const stack::Packet& frame);  // valid until the next call
  void release(std::span<const tap::Transmitted> transmitted);
  void observe(stack::Direction direction, const stack::Packet& frame, const tap::VnetHeader& header);

  tap::FrameIo& frames_;
  Settings settings_;
  FrameObserver* observer_;
  FrameMemory memory_;
  std::array<stack::BufferRef, kPostedBuffers> posted_;
  Impairer inbound_, outbound_;
  stack::Instant now_;
  std::size_t in_flight_ = 0;
  std::vector<iovec> gathered_;  // of gather(), as the next
  std::vector<stack::Bytes> many_ranges_;
  std::vector<std::byte> scratch_;  // of observe()
  LinkCounts counts_;
};

}  // namespace node
