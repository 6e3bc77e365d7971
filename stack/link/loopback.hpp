// The way from a host to itself: IP packets wait here until the stack's next turn, so that sending never runs into
// receiving. Bounded; what does not fit is refused.
#pragma once

#include <optional>

#include "stack/base/ring.hpp"
#include "stack/packet/packet.hpp"

namespace stack::link {

class Loopback {
 public:
  static constexpr std::size_t kLimit = 4096;  // packets
  static constexpr std::uint32_t kMtu = 65'535;

  // Data at the IP header. False: full, and the packet is still the caller's.
  bool push(Packet& packet) { return queue_.push(std::move(packet)); }
  // The packet as its receiver sees it: a checksum that was never finished counts as verified. Empty: none waits.
  Packet pop();
  bool empty() const { return queue_.empty(); }

 private:
  Ring<Packet> queue_{kLimit};
};

}  // namespace stack::link
