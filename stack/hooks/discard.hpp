// Every packet that the stack gives up is shown here, with the reason and the place, before it is released.
#pragma once

#include "stack/base/drop.hpp"
#include "stack/hooks/hook.hpp"

namespace stack {

class DiscardObserver {
 public:
  virtual ~DiscardObserver() = default;
  // `packet` has its data where processing stopped; headers before it are found through context sizes. Returns false
  // to silence the answer that the protocol would give (the RST at a transport hook, the ICMP error at an IP hook).
  virtual bool discarded(const Packet& packet, Drop reason, const PacketContext& context) = 0;
  // A drop where no context can be told (a frame that is not IP, a packet that failed to parse, injection refused).
  virtual void discarded_early(const Packet& packet, Drop reason) = 0;
};

}  // namespace stack
