// A connection that an application begins, until its SYN may exist: its local address and port (RFC 6056). Whether it
// may is asked in authorization.cpp.
#include "stack/tcp/tcp.hpp"

namespace stack::tcp {
namespace {

Error error_of_route(Drop drop) {
  return drop == Drop::NoSourceAddress ? Error::AddressNotAvailable : Error::NetworkUnreachable;
}

bool is_connectable(const SocketAddress& remote) {
  const IpAddress& address = remote.address;
  return remote.port != 0 && !address.is_unspecified() && !address.is_multicast() && !address.is_broadcast();
}

}  // namespace

Tcp::Connected Tcp::connect(const SocketAddress& remote, std::shared_ptr<const Owner> owner,
                            const std::optional<SocketAddress>& local) {
  if (!is_connectable(remote)) return {nullptr, Error::Invalid};
  if (local && local->address.family() != remote.address.family()) return {nullptr, Error::Invalid};
  const FourTuple tuple{local.value_or(SocketAddress{IpAddress::any(remote.address.family()), 0}), remote};
  auto endpoint = std::make_shared<Endpoint>(*this, config_, tuple, owner_or_nobody(std::move(owner)));
  if (!register_endpoint(*endpoint)) return {nullptr, Error::NoBuffers};
  endpoint->opening_ = Endpoint::Opening::Bind;
  wake(*endpoint);
  return {std::move(endpoint), Error::None};
}

Error Tcp::choose_local(Endpoint& endpoint) {
  FourTuple tuple = endpoint.tuple_;
  const bool is_fixed = !tuple.local.address.is_unspecified();
  const auto route =
      parts_.ip.route(tuple.remote.address, is_fixed ? std::optional{tuple.local.address} : std::nullopt);
  if (!route) return error_of_route(route.drop());
  if (route->remote_kind != AddressKind::Unicast && route->remote_kind != AddressKind::Anycast) return Error::Invalid;
  if (!is_fixed) tuple.local.address = route->source;
  if (tuple.local.port == 0) {
    const std::uint32_t range = config_.ephemeral_last - config_.ephemeral_first + 1U;
    const std::uint32_t start = parts_.random.below(range);
    std::uint32_t tried = 0;
    do {
      if (tried == range) return Error::AddressNotAvailable;
      tuple.local.port = static_cast<std::uint16_t>(config_.ephemeral_first + (start + tried++) % range);
    } while (demux_.contains(tuple) || demux_.is_port_listened(tuple.local));
  } else if (demux_.contains(tuple)) {
    return Error::AddressInUse;
  }
  endpoint.tuple_ = tuple;
  endpoint.record_.local = tuple.local;
  demux_.insert(tuple, endpoint.shared_from_this());
  return Error::None;
}

void Tcp::advance_open(Endpoint& endpoint) {
  const Error error = authorize_open(endpoint);
  if (error == Error::InProgress) return;
  if (error != Error::None) endpoint.close(error);
  wake(endpoint);  // the SYN leaves, or the failure is told, in poll()
}

}  // namespace stack::tcp
