#include "src/app/daemon/socket_network.hpp"

#include <array>

#include "stack/core/stack.hpp"

namespace app {
namespace {

using stack::Family;

class Stream final : public services::ByteStream {
 public:
  explicit Stream(stack::TcpStream stream) : stream_(std::move(stream)) {}
  void set_observer(Observer* observer) override { stream_.set_observer(observer); }
  Transfer read(stack::MutableBytes into) override { return stream_.read(into); }
  Transfer read_in_place(std::size_t limit, const std::function<bool(stack::Bytes)>& visit) override {
    return stream_.read_in_place(limit, visit);
  }
  std::size_t readable() const override { return stream_.readable(); }
  Transfer write(stack::Bytes from) override { return stream_.write(from); }
  Transfer write(const stack::BufferRef& block, std::size_t offset, std::size_t count) override {
    return stream_.write(block, offset, count);
  }
  void finish_after_next_write() override { stream_.finish_after_next_write(); }
  std::size_t writable() const override { return stream_.writable(); }
  void shutdown_write() override { stream_.shutdown_write(); }
  void close() override { stream_.close(); }
  void abort() override { stream_.abort(); }
  void set_no_delay(bool on) override { stream_.set_no_delay(on); }
  stack::TcpStream::Info info() const override { return stream_.info(); }

 private:
  stack::TcpStream stream_;
};

// A port of both families.
class Listeners final : public services::ListeningPort {
 public:
  std::array<stack::TcpListener, 2> listeners;
};

class Datagrams final : public services::DatagramSocket {
 public:
  void set_readable_handler(std::function<void()> handler) override {
    for (auto& socket : sockets) socket.set_readable_handler(handler);
  }
  std::optional<Received> receive(stack::MutableBytes into) override {
    for (auto& socket : sockets) {
      auto datagram = socket.receive();
      if (!datagram) continue;
      datagram->payload.copy_out(0, into);
      return Received{datagram->payload.size(), datagram->remote, datagram->local, datagram->to_group};
    }
    return std::nullopt;
  }
  stack::Error send_to(stack::Bytes payload, const stack::SocketAddress& remote,
                       const stack::IpAddress& source) override {
    return sockets[remote.address.is_v4() ? 0 : 1].send_to(payload, remote, source);
  }
  std::array<stack::UdpSocket, 2> sockets;
};

constexpr std::array kFamilies{Family::V4, Family::V6};

}  // namespace

std::unique_ptr<services::ListeningPort> SocketNetwork::listen(std::uint16_t port, const services::OwnerRef& owner,
                                                               AcceptHandler accept, stack::Error& error) {
  auto port_of_both = std::make_unique<Listeners>();
  for (std::size_t i = 0; i < kFamilies.size(); ++i) {
    auto result = system_.stack().listen_tcp({stack::IpAddress::any(kFamilies[i]), port}, owner);
    if (result.error != stack::Error::None) return error = result.error, nullptr;
    result.listener.set_accept_handler(
        [accept](stack::TcpStream stream) { accept(std::make_unique<Stream>(std::move(stream))); });
    port_of_both->listeners[i] = std::move(result.listener);
  }
  return port_of_both;
}

std::unique_ptr<services::DatagramSocket> SocketNetwork::open_datagrams(std::uint16_t port,
                                                                        const services::OwnerRef& owner,
                                                                        stack::Error& error) {
  auto datagrams = std::make_unique<Datagrams>();
  for (std::size_t i = 0; i < kFamilies.size(); ++i) {
    auto result = system_.stack().open_udp({stack::IpAddress::any(kFamilies[i]), port}, owner);
    if (result.error != stack::Error::None) return error = result.error, nullptr;
    datagrams->sockets[i] = std::move(result.socket);
  }
  return datagrams;
}

std::unique_ptr<services::ByteStream> SocketNetwork::connect(const stack::SocketAddress& remote,
                                                             const services::OwnerRef& owner,
                                                             services::ByteStream::Observer& observer,
                                                             stack::Error& error) {
  auto result = system_.stack().connect_tcp(remote, {stack::IpAddress::any(remote.address.family()), 0}, owner);
  if (result.error != stack::Error::None && result.error != stack::Error::InProgress)
    return error = result.error, nullptr;
  result.stream.set_observer(&observer);
  return std::make_unique<Stream>(std::move(result.stream));
}

void SocketNetwork::defer(std::function<void()> task) { system_.stack().executor().post(std::move(task)); }

SocketNetwork::TimerId SocketNetwork::call_after(stack::Duration delay, std::function<void()> task) {
  return system_.call_at(system_.now() + delay, std::move(task));
}

std::time_t SocketNetwork::wall_clock() const { return std::time(nullptr); }

}  // namespace app
