// What a service needs from the host that it runs on: listening, datagrams, time. Narrow and virtual, so that a
// service also runs over the in-memory streams of its tests; socket_network.hpp implements it over the stack's
// sockets.
//
// Threads: everything here is called, and calls back, on the stack's thread. Callbacks never come from inside a call.
#pragma once

#include <ctime>
#include <functional>
#include <memory>
#include <optional>

#include "stack/base/time.hpp"
#include "stack/socket/tcp_stream.hpp"

namespace app::services {

using OwnerRef = std::shared_ptr<const stack::Owner>;

// A TCP connection; the functions of stack::TcpStream that services use, under the same names and rules.
class ByteStream {
 public:
  using Observer = stack::TcpStream::Observer;
  using Transfer = stack::TcpStream::Transfer;

  virtual ~ByteStream() = default;  // closes
  virtual void set_observer(Observer* observer) = 0;
  virtual Transfer read(stack::MutableBytes into) = 0;
  virtual Transfer read_in_place(std::size_t limit, const std::function<bool(stack::Bytes)>& visit) = 0;
  virtual std::size_t readable() const = 0;
  virtual Transfer write(stack::Bytes from) = 0;
  virtual Transfer write(const stack::BufferRef& block, std::size_t offset, std::size_t count) = 0;
  virtual void finish_after_next_write() = 0;
  virtual std::size_t writable() const = 0;
  virtual void shutdown_write() = 0;
  virtual void close() = 0;
  virtual void abort() = 0;
  virtual void set_no_delay(bool on) = 0;
  virtual stack::TcpStream::Info info() const = 0;
};

// A UDP socket bound to a port of every address.
class DatagramSocket {
 public:
  struct Received {
    std::size_t size = 0;  // of the datagram; more than the buffer when it was cut
    stack::SocketAddress remote;
    stack::SocketAddress local;  // what it was sent to
    bool to_group = false;       // which is a group or a broadcast address
  };
  virtual ~DatagramSocket() = default;  // closes
  virtual void set_readable_handler(std::function<void()> handler) = 0;
  virtual std::optional<Received> receive(stack::MutableBytes into) = 0;
  virtual stack::Error send_to(stack::Bytes payload, const stack::SocketAddress& remote,
                               const stack::IpAddress& source) = 0;
};

// Holds a port; closes it on destruction.
class ListeningPort {
 public:
  virtual ~ListeningPort() = default;
};

class Network {
 public:
  using AcceptHandler = std::function<void(std::unique_ptr<ByteStream>)>;
  using TimerId = std::uint64_t;  // zero is none

  virtual ~Network() = default;
  // On every address of both families. Null on failure, with `error` set.
  virtual std::unique_ptr<ListeningPort> listen(std::uint16_t port, const OwnerRef& owner, AcceptHandler accept,
                                                stack::Error& error) = 0;
  virtual std::unique_ptr<DatagramSocket> open_datagrams(std::uint16_t port, const OwnerRef& owner,
                                                         stack::Error& error) = 0;
  // The observer's on_connected or on_failed tells the outcome.
  virtual std::unique_ptr<ByteStream> connect(const stack::SocketAddress& remote, const OwnerRef& owner,
                                              ByteStream::Observer& observer, stack::Error& error) = 0;

  virtual void defer(std::function<void()> task) = 0;  // runs it after what runs now
  virtual TimerId call_after(stack::Duration delay, std::function<void()> task) = 0;
  virtual void cancel(TimerId timer) = 0;
  virtual stack::Instant now() const = 0;
  virtual std::time_t wall_clock() const = 0;  // seconds since 1970, UTC
};

}  // namespace app::services
