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

}  // namespace stack::tcp
