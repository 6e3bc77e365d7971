// services::Network over the sockets and timers of a running node. On the stack's thread, all of it; made and
// destroyed there.
#pragma once

#include "src/app/services/network.hpp"
#include "src/node/system.hpp"

namespace app {

class SocketNetwork final : public services::Network {
 public:
  explicit SocketNetwork(node::System& system) : system_(system) {}  // outlives this

  std::unique_ptr<services::ListeningPort> listen(std::uint16_t port, const services::OwnerRef& owner,
                                                  AcceptHandler accept, stack::Error& error) override;
  std::unique_ptr<services::DatagramSocket> open_datagrams(std::uint16_t port, const services::OwnerRef& owner,
                                                           stack::Error& error) override;
  std::unique_ptr<services::ByteStream> connect(const stack::SocketAddress& remote, const services::OwnerRef& owner,
                                                services::ByteStream::Observer& observer,
                                                stack::Error& error) override;
  void defer(std::function<void()> task) override;
  TimerId call_after(stack::Duration delay, std::function<void()> task) override;
  void cancel(TimerId timer) override { system_.cancel(timer); }
  stack::Instant now() const override { return system_.now(); }
  std::time_t wall_clock() const override;

 private:
  node::System& system_;
};

}  // namespace app
