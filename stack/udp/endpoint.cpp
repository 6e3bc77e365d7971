#include "stack/udp/endpoint.hpp"

#include "stack/udp/udp.hpp"

namespace stack::udp {

Endpoint::Endpoint(Udp& udp, std::shared_ptr<const Owner> owner, std::size_t queue_limit)
    : udp_(&udp), owner_(std::move(owner)), queue_(queue_limit) {}

Endpoint::~Endpoint() { DCHECK(!open_); }

void Endpoint::set_readable_handler(std::function<void()> handler) {
  on_readable_ = std::move(handler);
  if (!queue_.empty()) udp_->notify(*this);
}

Error Endpoint::connect(const SocketAddress& remote) { return open_ ? udp_->connect(*this, remote) : Error::Closed; }

Error Endpoint::send_to(Bytes payload, const SocketAddress& remote, const std::optional<IpAddress>& source) {
  return open_ ? udp_->send(*this, payload, remote, source) : Error::Closed;
}

std::optional<Datagram> Endpoint::receive() {
  if (queue_.empty()) return std::nullopt;
  return pop();
}

Datagram Endpoint::pop() {
  WaitingDatagram waiting = queue_.pop();
  queued_ -= waiting.payload.charge();
  return {waiting.payload.release(), waiting.remote, waiting.local, waiting.to_group};
}

Error Endpoint::take_error() { return std::exchange(error_, Error::None); }

void Endpoint::close() {
  on_readable_ = nullptr;
  if (id()) udp_->close(*this);
}

}  // namespace stack::udp
