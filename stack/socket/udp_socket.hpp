// A UDP socket. Runs on the stack's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "stack/base/result.hpp"
#include "stack/hooks/hook.hpp"

namespace stack::udp {
class Endpoint;
}

namespace stack {

class UdpSocket {
 public:
  struct Datagram {
    Packet payload;  // data at the payload
    SocketAddress remote;
    SocketAddress local;    // the address that it was sent to
    bool to_group = false;  // a group or a broadcast address, which is no source of an answer (RFC 1122 4.1.3.5)
  };
  using ReadableHandler = std::function<void()>;  // called from Stack::poll

  UdpSocket() = default;
  explicit UdpSocket(std::shared_ptr<udp::Endpoint> endpoint) : endpoint_(std::move(endpoint)) {}
  UdpSocket(UdpSocket&&) = default;
  UdpSocket& operator=(UdpSocket&& other) noexcept;
  ~UdpSocket();  // closes

  explicit operator bool() const { return endpoint_ != nullptr; }
  void set_readable_handler(ReadableHandler handler);
  Error connect(const SocketAddress& remote);
  // `source` pins the local address (the one a request was sent to); otherwise the route decides.
  Error send_to(Bytes payload, const SocketAddress& remote, const std::optional<IpAddress>& source = std::nullopt);
  std::optional<Datagram> receive();
  Error take_error();  // a pending ICMP error, cleared by the call
  SocketAddress local() const;
  EndpointId endpoint() const;
  void close();

 private:
  std::shared_ptr<udp::Endpoint> endpoint_;
};

}  // namespace stack
