// Per-packet verdicts. A packet goes in and comes back, or does not: blocked and absorbed packets have been dealt
// with, and counted, by the inspector when it returns nothing. No view into the packet survives the call.
#pragma once

#include <optional>

#include "stack/hooks/hook.hpp"

namespace stack {

class Inspector {
 public:
  virtual ~Inspector() = default;
  // Takes the packet; returns it when it may go on. The data starts where it started.
  virtual std::optional<Packet> inspect(Packet packet, const PacketContext& context) = 0;
};

}  // namespace stack
