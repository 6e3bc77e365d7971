// A listening TCP socket. Runs on the stack's thread.
#pragma once

#include <functional>
#include <memory>

#include "stack/socket/tcp_stream.hpp"

namespace stack::tcp {
class Listener;
}

namespace stack {

class TcpListener {
 public:
  using AcceptHandler = std::function<void(TcpStream)>;  // called from Stack::poll for each established connection

  TcpListener() = default;
  explicit TcpListener(std::shared_ptr<tcp::Listener> listener) : listener_(std::move(listener)) {}
  TcpListener(TcpListener&&) = default;
  TcpListener& operator=(TcpListener&& other) noexcept;
  ~TcpListener();  // closes

  explicit operator bool() const { return listener_ != nullptr; }
  void set_accept_handler(AcceptHandler handler);
  SocketAddress local() const;
  EndpointId endpoint() const;
  void close();  // connections that wait for accept are reset

 private:
  std::shared_ptr<tcp::Listener> listener_;
};

}  // namespace stack
