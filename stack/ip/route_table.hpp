// Where packets leave: destinations by longest prefix, each with its interface and perhaps a gateway. Bounded; small
// enough on a host that a list in order of prefix length beats a tree. Used on the stack's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "stack/base/address.hpp"
#include "stack/packet/packet_meta.hpp"

namespace stack::ip {

struct RouteEntry {
  IpPrefix destination;              // host bits do not matter
  std::optional<IpAddress> gateway;  // none: on link
  InterfaceIndex interface_index = 0;

  bool operator==(const RouteEntry&) const = default;
};

class RouteTable {
 public:
  static constexpr std::size_t kMaxRoutes = 1024;

  bool add(const RouteEntry& route);  // false: full. The same route twice is one.
  void remove(const RouteEntry& route);
  const RouteEntry* find(const IpAddress& destination) const;  // among equal lengths the one added first
  std::span<const RouteEntry> all() const { return routes_; }
  std::uint32_t generation() const { return generation_; }  // counts changes
  void note_change() { ++generation_; }                     // of what routes lead to, such as an interface's MTU

 private:
  std::vector<RouteEntry> routes_;  // longest prefix first
  std::uint32_t generation_ = 0;
};

}  // namespace stack::ip
