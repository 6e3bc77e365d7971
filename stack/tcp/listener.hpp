// A passive socket: where connections come to life and wait to be accepted. Half-open connections are endpoints of
// their own (children); here is only their number, which the backlog bounds.
//
// Made and registered by Tcp; the application holds it through stack::TcpListener. Used on the stack's thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "stack/base/result.hpp"
#include "stack/ip/endpoint_table.hpp"

namespace stack::tcp {

class Endpoint;
class Tcp;

class Listener : public std::enable_shared_from_this<Listener> {
 public:
  using AcceptHandler = std::function<void(std::shared_ptr<Endpoint>)>;

  Listener(Tcp& tcp, const SocketAddress& local, std::shared_ptr<const Owner> owner);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Called from Tcp::poll for each connection whose handshake is complete. Those that came before wait for a handler.
  void set_accept_handler(AcceptHandler handler);
  SocketAddress local() const { return record_.local; }
  EndpointId id() const { return record_.facts.endpoint; }
  const EndpointFacts& facts() const { return record_.facts; }
  const std::shared_ptr<const Owner>& owner() const { return owner_; }
  // Authorized and not closed.
  bool is_open() const { return is_open_; }
  Error error() const { return error_; }
  void close();

  std::size_t waiting_count() const { return accepted_.size(); }

 private:
  friend class Tcp;
  friend class Endpoint;
  void deliver();  // hands what waits to the handler

  Tcp* tcp_;  // null once closed or the module is gone
  std::shared_ptr<const Owner> owner_;
  ip::EndpointRecord record_;
  bool is_open_ = false;
  bool is_bind_authorized_ = false;
  Error error_ = Error::None;
  std::size_t half_open_ = 0;
  Instant cookies_until_ = Instant::from_ns(INT64_MIN);  // none of those that were sent is good any longer
  AcceptHandler handler_;
  std::deque<std::shared_ptr<Endpoint>> accepted_;
  bool is_notified_ = false;  // in the module's queue
};

}  // namespace stack::tcp
