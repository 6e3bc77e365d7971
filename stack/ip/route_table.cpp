#include "stack/ip/route_table.hpp"

#include <algorithm>

namespace stack::ip {

bool RouteTable::add(const RouteEntry& route) {
  if (std::ranges::find(routes_, route) != routes_.end()) return true;
  if (routes_.size() >= kMaxRoutes) return false;
  const auto at = std::ranges::find_if(
      routes_, [&route](const RouteEntry& other) { return other.destination.length < route.destination.length; });
  routes_.insert(at, route);
  ++generation_;
  return true;
}

void RouteTable::remove(const RouteEntry& route) {
  if (std::erase(routes_, route) > 0) ++generation_;
}

const RouteEntry* RouteTable::find(const IpAddress& destination) const {
  for (const RouteEntry& route : routes_)
    if (route.destination.contains(destination)) return &route;
  return nullptr;
}

}  // namespace stack::ip
