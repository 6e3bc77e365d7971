// Which endpoint a datagram is for: the exact four, then the local address and port, then any address.
#include <algorithm>
#include <array>

#include "stack/udp/udp.hpp"

namespace stack::udp {

std::size_t Udp::TupleHash::operator()(const Tuple& tuple) const {
  std::array<std::byte, 36> bytes{};
  std::ranges::copy(tuple.local.address.bytes(), bytes.begin());
  std::ranges::copy(tuple.remote.address.bytes(), bytes.begin() + 16);
  store_be16(bytes, 32, tuple.local.port);
  store_be16(bytes, 34, tuple.remote.port);
  return static_cast<std::size_t>(siphash(key, bytes));
}

Endpoint* Udp::find(const SocketAddress& local, const SocketAddress& remote) const {
  const IpAddress any = IpAddress::any(local.address.family());
  const SocketAddress nobody{any, 0};
  for (const Tuple& tuple : {Tuple{local, remote}, Tuple{local, nobody}, Tuple{{any, local.port}, nobody}})
    if (const auto found = by_tuple_.find(tuple); found != by_tuple_.end()) return found->second;
  return nullptr;
}

// A port is taken by whoever is bound to it, connected or not, on the same address or on any.
bool Udp::is_taken(const SocketAddress& local) const {
  return std::ranges::any_of(open_, [&local](const auto& entry) {
    const SocketAddress& other = entry.second->record_.local;
    return other.port == local.port && other.address.family() == local.address.family() &&
           (other.address == local.address || other.address.is_unspecified() || local.address.is_unspecified());
  });
}

// RFC 6056 3.3.1: from a random place on, the first free one.
std::uint16_t Udp::choose_port(const IpAddress& address) {
  const std::uint32_t count = std::uint32_t{config_.ephemeral_last} - config_.ephemeral_first + 1;
  const std::uint32_t start = parts_.random.below(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto port = static_cast<std::uint16_t>(config_.ephemeral_first + (start + i) % count);
    if (!is_taken({address, port})) return port;
  }
  return 0;
}

void Udp::enlist(Endpoint& endpoint) { by_tuple_[{endpoint.record_.local, endpoint.record_.remote}] = &endpoint; }

void Udp::delist(const Endpoint& endpoint) { by_tuple_.erase({endpoint.record_.local, endpoint.record_.remote}); }

}  // namespace stack::udp
