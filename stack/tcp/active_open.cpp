// What an application begins: listening and connecting. Local addresses and ports (RFC 6056), and the authorizations
// of bind, listen and connect, which may take their time.
#include "stack/tcp/tcp.hpp"

namespace stack::tcp {
namespace {

const std::shared_ptr<const Owner>& owner_or_nobody(const std::shared_ptr<const Owner>& owner) {
  static const std::shared_ptr<const Owner> kNobody = std::make_shared<Owner>();
  return owner != nullptr ? owner : kNobody;
}

Error error_of_route(Drop drop) {
  return drop == Drop::NoSourceAddress ? Error::AddressNotAvailable : Error::NetworkUnreachable;
}

bool is_connectable(const SocketAddress& remote) {
  const IpAddress& address = remote.address;
  return remote.port != 0 && !address.is_unspecified() && !address.is_multicast() && !address.is_broadcast();
}

}  // namespace

Operation Tcp::operation_of(const EndpointFacts& facts, const SocketAddress& local,
                            const SocketAddress& remote) const {
  Operation operation;
  operation.family = local.address.family();
  operation.protocol = wire::kProtocolTcp;
  operation.local = local;
  operation.remote = remote;
  operation.local_interface_index = parts_.addresses.interface_of(local.address);
  operation.interface_index = operation.local_interface_index;
  operation.local_kind = parts_.addresses.kind_of(local.address, operation.interface_index);
  operation.remote_kind = parts_.addresses.kind_of(remote.address, operation.interface_index);
  operation.loopback = remote.address.is_loopback() || parts_.addresses.is_own_unicast(remote.address);
  operation.endpoint = facts;
  return operation;
}

// --- listen ---

Tcp::Listened Tcp::listen(const SocketAddress& local, std::shared_ptr<const Owner> owner) {
  if (demux_.listener_count() >= config_.listener_limit) return {nullptr, Error::NoBuffers};
  if (!local.address.is_unspecified() && !parts_.addresses.is_own_unicast(local.address))
    return {nullptr, Error::AddressNotAvailable};
  SocketAddress bound = local;
  const std::uint32_t range = config_.ephemeral_last - config_.ephemeral_first + 1U;
  const std::uint32_t start = parts_.random.below(range);
  for (std::uint32_t i = 0; local.port == 0 && i < range; ++i) {
    bound.port = static_cast<std::uint16_t>(config_.ephemeral_first + (start + i) % range);
    if (!demux_.is_port_listened(bound)) break;
  }
  auto listener = std::make_shared<Listener>(*this, bound, owner_or_nobody(owner));
  if (!demux_.insert_listener(bound, listener)) {
    listener->tcp_ = nullptr;
    return {nullptr, Error::AddressInUse};
  }
  const auto id = parts_.endpoints.insert(&listener->record_);
  if (!id) {
    demux_.erase_listener(bound);
    listener->tcp_ = nullptr;
    return {nullptr, Error::NoBuffers};
  }
  listener->record_.facts.endpoint = *id;
  const Error error = authorize_listen(*listener, 0);
  if (error == Error::None || error == Error::InProgress) return {std::move(listener), error};
  close_listener(*listener);
  return {nullptr, error};
}

// `resumed`: the ticket under which the question of this step waited; then it must be answered.
Error Tcp::authorize_listen(Listener& listener, Ticket resumed) {
  Authorizer* authorizer = parts_.hooks.authorizer();
  const auto ask = [&](auto question) {
    Operation operation = operation_of(listener.facts(), listener.local(), listener.record_.remote);
    operation.resumed = std::exchange(resumed, 0);
    const Authorization answer = (authorizer->*question)(operation);
    if (answer.decision == Decision::Allow) return Error::None;
    const bool may_wait = answer.decision == Decision::Later && operation.resumed == 0 && parked_.size() < kMaxParked;
    if (!may_wait) return Error::AccessDenied;
    parked_[answer.ticket] = {nullptr, listener.shared_from_this()};
    return Error::InProgress;
  };
  if (authorizer != nullptr && !listener.is_bind_authorized_)
    if (const Error error = ask(&Authorizer::bind); error != Error::None) return error;
  listener.is_bind_authorized_ = true;
  if (authorizer != nullptr)
    if (const Error error = ask(&Authorizer::listen); error != Error::None) return error;
  listener.is_open_ = true;
  return Error::None;
}

// Its handle dies now; connections that nobody has accepted are reset in the next poll.
void Tcp::close_listener(Listener& listener) {
  const auto keep = listener.shared_from_this();
  listener.is_open_ = false;
  listener.tcp_ = nullptr;
  demux_.erase_listener(listener.local());
  std::erase_if(parked_, [&](const auto& parked) { return parked.second.listener.get() == &listener; });
  listener.accepted_.clear();
  for (const auto& [id, endpoint] : by_id_)
    if (endpoint->listener_.get() == &listener) {
      endpoint->wants_abort_ = true;
      wake(*endpoint);
    }
  parts_.endpoints.erase(listener.id());
  if (Authorizer* authorizer = parts_.hooks.authorizer(); authorizer != nullptr)
    authorizer->endpoint_closed(listener.id());
}

// --- connect ---

Tcp::Connected Tcp::connect(const SocketAddress& remote, std::shared_ptr<const Owner> owner,
                            const std::optional<SocketAddress>& local) {
  if (!is_connectable(remote)) return {nullptr, Error::Invalid};
  if (local && local->address.family() != remote.address.family()) return {nullptr, Error::Invalid};
  const FourTuple tuple{local.value_or(SocketAddress{IpAddress::any(remote.address.family()), 0}), remote};
  auto endpoint = std::make_shared<Endpoint>(*this, config_, tuple, owner_or_nobody(owner));
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

// The steps of an active open until its SYN may exist. InProgress: parked until resume().
Error Tcp::authorize_open(Endpoint& endpoint) {
  Authorizer* authorizer = parts_.hooks.authorizer();
  const auto ask = [&](bool connects) {
    Operation operation = operation_of(endpoint.facts(), endpoint.tuple_.local, endpoint.tuple_.remote);
    operation.resumed = std::exchange(endpoint.resumed_, 0);
    const Authorization answer = connects ? authorizer->connect(operation, nullptr) : authorizer->bind(operation);
    if (answer.decision == Decision::Allow) {
      if (connects) endpoint.record_.facts.flow = answer.flow;
      return Error::None;
    }
    const bool may_wait = answer.decision == Decision::Later && operation.resumed == 0 && parked_.size() < kMaxParked;
    if (!may_wait) return Error::AccessDenied;
    parked_[answer.ticket] = {endpoint.shared_from_this(), nullptr};
    return Error::InProgress;
  };
  if (endpoint.opening_ == Endpoint::Opening::Bind) {
    if (authorizer != nullptr)
      if (const Error error = ask(false); error != Error::None) return error;
    if (const Error error = choose_local(endpoint); error != Error::None) return error;
    endpoint.opening_ = Endpoint::Opening::Connect;
  }
  if (authorizer != nullptr)
    if (const Error error = ask(true); error != Error::None) return error;
  endpoint.opening_ = Endpoint::Opening::Syn;
  return Error::None;
}

void Tcp::advance_open(Endpoint& endpoint) {
  const Error error = authorize_open(endpoint);
  if (error == Error::InProgress) return;
  if (error != Error::None) endpoint.close(error);
  wake(endpoint);  // the SYN leaves, or the failure is told, in poll()
}

bool Tcp::resume(Ticket ticket) {
  if (pended_.resume(ticket)) return true;
  const auto found = parked_.find(ticket);
  if (found == parked_.end()) return false;
  const Parked parked = std::move(found->second);
  parked_.erase(found);
  if (parked.endpoint != nullptr) {
    parked.endpoint->resumed_ = ticket;
    advance_open(*parked.endpoint);
    return true;
  }
  const Error error = authorize_listen(*parked.listener, ticket);
  if (error == Error::None || error == Error::InProgress) return true;
  parked.listener->error_ = error;
  close_listener(*parked.listener);
  return true;
}

}  // namespace stack::tcp
