#include "stack/socket/udp_socket.hpp"

#include "stack/udp/endpoint.hpp"

namespace stack {

UdpSocket& UdpSocket::operator=(UdpSocket&& other) noexcept {
  if (this == &other) return *this;
  close();
  endpoint_ = std::move(other.endpoint_);
  return *this;
}

UdpSocket::~UdpSocket() { close(); }

void UdpSocket::set_readable_handler(ReadableHandler handler) {
  if (endpoint_ != nullptr) endpoint_->set_readable_handler(std::move(handler));
}

Error UdpSocket::connect(const SocketAddress& remote) {
  return endpoint_ != nullptr ? endpoint_->connect(remote) : Error::Closed;
}

Error UdpSocket::send_to(Bytes payload, const SocketAddress& remote, const std::optional<IpAddress>& source) {
  return endpoint_ != nullptr ? endpoint_->send_to(payload, remote, source) : Error::Closed;
}

std::optional<UdpSocket::Datagram> UdpSocket::receive() {
  if (endpoint_ == nullptr) return std::nullopt;
  auto datagram = endpoint_->receive();
  if (!datagram) return std::nullopt;
  return Datagram{std::move(datagram->payload), datagram->remote, datagram->local, datagram->to_group};
}

Error UdpSocket::take_error() { return endpoint_ != nullptr ? endpoint_->take_error() : Error::Closed; }

SocketAddress UdpSocket::local() const { return endpoint_ != nullptr ? endpoint_->local() : SocketAddress{}; }

EndpointId UdpSocket::endpoint() const { return endpoint_ != nullptr ? endpoint_->id() : EndpointId{}; }

void UdpSocket::close() {
  if (const auto endpoint = std::exchange(endpoint_, nullptr)) endpoint->close();
}

}  // namespace stack
