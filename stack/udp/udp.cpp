#include "stack/udp/udp.hpp"

#include <algorithm>

#include "stack/wire/udp.hpp"

namespace stack::udp {

Udp::Udp(const ip::IpParts& parts, ip::Output& output, ip::IcmpReply& icmp_reply, ip::EndpointTable& endpoints,
         SipKey key, const UdpConfig& config, const Instant& now)
    : parts_(parts),
      output_(output),
      icmp_reply_(icmp_reply),
      endpoints_(endpoints),
      config_(config),
      now_(now),
      flows_(parts.hooks, key, config.flow_limit, config.flow_idle),
      by_tuple_(16, TupleHash{key}) {}

Udp::~Udp() { close_all(); }

void Udp::close_all() {
  while (!open_.empty()) close(*open_.begin()->second);
}

Udp::Opened Udp::open(const SocketAddress& local, std::shared_ptr<const Owner> owner) {
  DCHECK(owner != nullptr);
  if (open_.size() >= config_.endpoint_limit) return {nullptr, Error::NoBuffers};
  const bool is_wildcard = local.address.is_unspecified();
  if (!is_wildcard && !parts_.addresses.is_own_unicast(local.address) && !local.address.is_multicast())
    return {nullptr, Error::AddressNotAvailable};
  auto endpoint = std::make_shared<Endpoint>(*this, std::move(owner), config_.receive_queue_limit);
  ip::EndpointRecord& record = endpoint->record_;
  record.protocol = wire::kProtocolUdp;
  record.local = local;
  record.remote.address = IpAddress::any(local.address.family());
  if (local.port == 0) record.local.port = choose_port(local.address);
  if (record.local.port == 0 || is_taken(record.local)) return {nullptr, Error::AddressInUse};
  const auto id = endpoints_.insert(&record);
  if (!id) return {nullptr, Error::NoBuffers};
  record.facts = {
      .match = EndpointMatch::Live, .endpoint = *id, .parent = {}, .flow = 0, .owner = endpoint->owner_.get()};
  record.state = "bound";
  open_[id->value] = endpoint;
  enlist(*endpoint);  // the port is taken while the authorizer thinks
  const Error error = authorize_bind(*endpoint, 0);
  if (error == Error::None || error == Error::InProgress) return {std::move(endpoint), error};
  close(*endpoint);
  return {nullptr, error};
}

Error Udp::authorize_bind(Endpoint& endpoint, Ticket resumed) {
  Authorization answer;
  if (Authorizer* authorizer = parts_.hooks.authorizer()) {
    Operation operation;
    operation.family = endpoint.record_.local.address.family();
    operation.protocol = wire::kProtocolUdp;
    operation.local = endpoint.record_.local;
    operation.remote.address = IpAddress::any(operation.family);
    operation.local_kind = parts_.addresses.kind_of(operation.local.address, 0);
    operation.local_interface_index = parts_.addresses.interface_of(operation.local.address);
    operation.resumed = resumed;
    operation.endpoint = endpoint.record_.facts;
    answer = authorizer->bind(operation);
  }
  if (answer.decision == Decision::Allow) {
    endpoint.open_ = true;
    return Error::None;
  }
  if (answer.decision == Decision::Deny || resumed != 0) return Error::AccessDenied;
  parked_.push_back({answer.ticket, endpoint.weak_from_this()});  // bounded by the endpoints
  return Error::InProgress;
}

bool Udp::resume(Ticket ticket) {
  const auto at = std::ranges::find_if(parked_, [ticket](const Parked& parked) { return parked.ticket == ticket; });
  if (at == parked_.end()) return false;
  const auto endpoint = at->endpoint.lock();
  parked_.erase(at);
  if (endpoint == nullptr || !endpoint->id()) return true;
  const Error error = authorize_bind(*endpoint, ticket);
  if (error != Error::None) {
    endpoint->error_ = error;
    close(*endpoint);
  }
  notify(*endpoint);
  return true;
}

void Udp::close(Endpoint& endpoint) {
  const EndpointId id = endpoint.id();
  if (!id) return;
  const auto keep = endpoint.shared_from_this();
  delist(endpoint);
  endpoint.open_ = false;
  endpoint.record_.facts.endpoint = {};
  while (!endpoint.queue_.empty()) parts_.hooks.discard(endpoint.pop().payload, Drop::EndpointGone);
  std::erase_if(parked_, [&](const Parked& parked) { return parked.endpoint.lock() == keep; });
  open_.erase(id.value);
  flows_.erase_all(id);
  if (parts_.hooks.authorizer() != nullptr) parts_.hooks.authorizer()->endpoint_closed(id);
  endpoints_.erase(id);
}

}  // namespace stack::udp
