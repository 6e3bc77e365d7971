// Who may: the authorizations of bind, listen, connect and accept, and the operations that wait for theirs. A bind,
// listen or connect is parked and asked about again; of an accept only its SYN is noted (pended_syns.hpp).
#include "stack/ip/packet_context.hpp"
#include "stack/tcp/tcp.hpp"

namespace stack::tcp {

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

// Of an answer other than Allow. What has waited once is not parked again.
Error Tcp::refuse_or_park(const Operation& operation, const Authorization& answer, const Parked& asker) {
  const bool may_wait = answer.decision == Decision::Later && operation.resumed == 0 && parked_.size() < kMaxParked;
  if (!may_wait) return Error::AccessDenied;
  parked_[answer.ticket] = asker;
  return Error::InProgress;
}

// `resumed`: the ticket under which the question of this step waited; then it must be answered.
Error Tcp::authorize_listen(Listener& listener, Ticket resumed) {
  Authorizer* authorizer = parts_.hooks.authorizer();
  const auto ask = [&](auto question) {
    Operation operation = operation_of(listener.facts(), listener.local(), listener.record_.remote);
    operation.resumed = std::exchange(resumed, 0);
    const Authorization answer = (authorizer->*question)(operation);
    if (answer.decision == Decision::Allow) return Error::None;
    return refuse_or_park(operation, answer, {nullptr, listener.shared_from_this()});
  };
  if (authorizer != nullptr && !listener.is_bind_authorized_)
    if (const Error error = ask(&Authorizer::bind); error != Error::None) return error;
  listener.is_bind_authorized_ = true;
  if (authorizer != nullptr)
    if (const Error error = ask(&Authorizer::listen); error != Error::None) return error;
  listener.is_open_ = true;
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
    return refuse_or_park(operation, answer, {endpoint.shared_from_this(), nullptr});
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

// Asks whether the peer may connect. Empty: no, or not yet; the packet has been dealt with.
std::optional<FlowTag> Tcp::authorize_accept(Inbound& inbound, Instant now) {
  pended_.erase(inbound.tuple);
  Authorizer* authorizer = parts_.hooks.authorizer();
  if (authorizer == nullptr) return FlowTag{0};
  Operation operation = ip::make_flow_operation(context_of(inbound));
  operation.endpoint = inbound.facts;
  operation.injected = inbound.segment.packet.meta().origin == Origin::Injected;
  operation.tcp_flags = inbound.segment.flags;
  const Authorization answer = authorizer->accept(operation, inbound.segment.packet);
  if (answer.decision == Decision::Allow) return answer.flow;
  const bool is_lost = answer.decision == Decision::Later && !pended_.insert(inbound.tuple, answer.ticket, now);
  if (inbound.segment.packet && answer.decision == Decision::Deny)
    discard(inbound, Drop::AuthorizationDenied);
  else if (is_lost)  // the ticket's SYN will be asked about again when it comes back or is retransmitted
    parts_.hooks.stats().count(Drop::PendLimit);
  return std::nullopt;
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
