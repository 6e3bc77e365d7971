// A wire between two stacks in virtual time: two ends, each a stack::Link, with a seeded impairment in each
// direction. A frame is copied from one side's memory to the other's, as a real wire does; large segments and open
// checksums cross it the way they cross a TAP when offloads are on. Everything happens in run_due(), nothing inside
// transmit().
#pragma once

#include <array>
#include <functional>
#include <memory>

#include "src/node/impairment.hpp"
#include "stack/link/link.hpp"

namespace test {

struct SimLinkOptions {
  stack::Medium medium = stack::Medium::Ethernet;
  std::uint32_t mtu = 1500;
  bool offload = true;
  node::Impairment impairment;
  double corrupt =
      0;  // this share of the frames has one bit turned over; only without offload, where checksums are real
  std::uint64_t seed = 1;
};

class SimLink {
 public:
  explicit SimLink(const SimLinkOptions& options);
  ~SimLink();

  stack::Link& end(std::size_t which);  // 0 or 1

  // Called with the end that the frame arrives at.
  using Deliver = std::function<void(std::size_t to, stack::Packet frame)>;
  void run_due(stack::Instant now, const Deliver& deliver);
  stack::Instant next_deadline() const;
  bool is_idle() const;
  std::uint64_t frames_lost() const;
  std::uint64_t frames_corrupted() const { return corrupted_; }
  // Sees every frame when it is sent; for captures and for tests that look at the wire.
  void set_observer(std::function<void(std::size_t from, const stack::Packet&, stack::Instant)> observer) {
    observer_ = std::move(observer);
  }

 private:
  class End;
  bool transmit(std::size_t from, stack::Packet frame);
  void maybe_corrupt(stack::Packet& frame);

  SimLinkOptions options_;
  stack::SeededRandom random_;
  stack::PacketPool pool_{16'384};
  std::array<std::unique_ptr<End>, 2> ends_;
  std::array<node::Impairer, 2> impairers_;  // by sender
  std::uint64_t corrupted_ = 0;
  stack::Instant now_;
  std::function<void(std::size_t, const stack::Packet&, stack::Instant)> observer_;
};

}  // namespace test
