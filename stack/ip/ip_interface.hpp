// What IP needs from a network interface: its limits, and a way to give a packet to a next hop. Implemented by
// core::Interface over a Link with its neighbours, and by core's loopback; tests use a double of ten lines.
#pragma once

#include <cstdint>
#include <vector>

#include "stack/base/time.hpp"
#include "stack/hooks/hook.hpp"
#include "stack/link/link.hpp"

namespace stack::ip {

class IpInterface {
 public:
  virtual ~IpInterface() = default;
  virtual InterfaceIndex index() const = 0;
  virtual bool is_loopback() const = 0;
  virtual std::uint32_t mtu() const = 0;  // largest IP packet, router advertisements considered
  virtual LinkCapabilities capabilities() const = 0;
  virtual std::uint8_t hop_limit(Family family) const = 0;  // of packets that do not ask for another
  // Data at the IP header, complete but for what capabilities() covers. Owns the packet on every path.
  virtual void send(Packet packet, const IpAddress& next_hop, Instant now) = 0;
  virtual void confirm_reachable(const IpAddress& next_hop, Instant now) = 0;
};

// The interfaces of one stack by index, which counts from 1. They are added at start and stay.
class InterfaceTable {
 public:
  void add(IpInterface& interface) {
    CHECK(interface.index() == interfaces_.size() + 1);
    interfaces_.push_back(&interface);
  }
  IpInterface* find(InterfaceIndex index) const {
    return index == 0 || index > interfaces_.size() ? nullptr : interfaces_[index - 1];
  }
  const std::vector<IpInterface*>& all() const { return interfaces_; }

 private:
  std::vector<IpInterface*> interfaces_;
};

}  // namespace stack::ip
