#include "src/app/services/host_shares.hpp"

#include <algorithm>
#include <array>

namespace app::services {
namespace {

constexpr std::size_t kPrefixBytes = 8;  // of IPv6: a host chooses the rest as it likes

stack::IpAddress host_of(const stack::IpAddress& remote) {
  if (remote.is_v4()) return remote;
  std::array<std::byte, 16> prefix{};
  std::copy_n(remote.bytes().begin(), kPrefixBytes, prefix.begin());
  return stack::IpAddress::v6(prefix);
}

}  // namespace

void HostShares::count(const stack::IpAddress& host, std::size_t before, std::size_t now) {
  by_size_.erase({before, host});
  if (now != 0) by_size_.emplace(now, host);
}

HostShares::Place HostShares::add(Connection& connection, const stack::IpAddress& remote) {
  Place place;
  place.host = host_of(remote);
  auto& connections = hosts_[place.host];
  place.at = connections.insert(connections.end(), &connection);
  count(place.host, connections.size() - 1, connections.size());
  return place;
}

void HostShares::remove(const Place& place) {
  const auto host = hosts_.find(place.host);
  count(place.host, host->second.size(), host->second.size() - 1);
  host->second.erase(place.at);
  if (host->second.empty()) hosts_.erase(host);
}

void HostShares::progressed(const Place& place) {
  auto& connections = hosts_.find(place.host)->second;
  connections.splice(connections.end(), connections, place.at);
}

Connection* HostShares::idlest_of_largest() const {
  return by_size_.empty() ? nullptr : hosts_.find(by_size_.rbegin()->second)->second.front();
}

}  // namespace app::services
