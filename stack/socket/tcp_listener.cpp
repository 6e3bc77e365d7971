#include "stack/socket/tcp_listener.hpp"

#include "stack/tcp/listener.hpp"

namespace stack {

TcpListener& TcpListener::operator=(TcpListener&& other) noexcept {
  if (this == &other) return *this;
  close();
  listener_ = std::move(other.listener_);
  return *this;
}

TcpListener::~TcpListener() { close(); }

void TcpListener::set_accept_handler(AcceptHandler handler) {
  if (listener_ == nullptr) return;
  if (!handler) return listener_->set_accept_handler(nullptr);
  listener_->set_accept_handler([handler = std::move(handler)](std::shared_ptr<tcp::Endpoint> endpoint) {
    handler(TcpStream{std::move(endpoint)});
  });
}

SocketAddress TcpListener::local() const { return listener_ != nullptr ? listener_->local() : SocketAddress{}; }

EndpointId TcpListener::endpoint() const { return listener_ != nullptr ? listener_->id() : EndpointId{}; }

void TcpListener::close() {
  if (const auto listener = std::exchange(listener_, nullptr)) listener->close();
}

}  // namespace stack
