// A listener, and how Tcp opens and closes one.
#include "stack/tcp/listener.hpp"

#include "stack/tcp/endpoint.hpp"
#include "stack/tcp/tcp.hpp"

namespace stack::tcp {

Listener::Listener(Tcp& tcp, const SocketAddress& local, std::shared_ptr<const Owner> owner)
    : tcp_(&tcp), owner_(std::move(owner)) {
  record_.protocol = wire::kProtocolTcp;
  record_.local = local;
  record_.remote = {IpAddress::any(local.address.family()), 0};
  record_.state = name_of(State::Listen);
  record_.facts.match = EndpointMatch::Live;
  record_.facts.owner = owner_.get();
}

Listener::~Listener() { CHECK(tcp_ == nullptr); }

void Listener::set_accept_handler(AcceptHandler handler) {
  handler_ = std::move(handler);
  if (handler_ && !accepted_.empty() && tcp_ != nullptr) tcp_->queue_accept(*this);
}

void Listener::close() {
  handler_ = nullptr;
  if (tcp_ != nullptr) tcp_->close_listener(*this);
}

void Listener::deliver() {
  const auto keep = shared_from_this();
  // The handler may close the listener or set another handler.
  while (handler_ && !accepted_.empty()) {
    const auto endpoint = std::move(accepted_.front());
    accepted_.pop_front();
    endpoint->listener_ = nullptr;
    if (endpoint->error() != Error::None) continue;  // reset before anybody saw it
    const AcceptHandler handler = handler_;
    handler(endpoint);
  }
}

// --- Tcp: where listeners begin and end ---

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
  auto listener = std::make_shared<Listener>(*this, bound, owner_or_nobody(std::move(owner)));
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
      endpoint->wanted_.abort = true;
      wake(*endpoint);
    }
  parts_.endpoints.erase(listener.id());
  if (Authorizer* authorizer = parts_.hooks.authorizer(); authorizer != nullptr)
    authorizer->endpoint_closed(listener.id());
}

}  // namespace stack::tcp
