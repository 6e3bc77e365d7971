// One UDP socket: where datagrams wait for the application, and where it sends them from. Made and registered by
// udp::Udp; the application holds it through stack::UdpSocket. Used on the stack's thread.
//
// Datagrams wait in a bounded queue (UdpConfig::receive_queue_limit), copied out of the packets that carried them and
// entered in the account. What does not fit is dropped as Drop::ReceiveQueueFull or Drop::ReceiveMemory. Handlers are called from the run queue, never from
// inside a call here.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "stack/base/result.hpp"
#include "stack/base/ring.hpp"
#include "stack/hooks/hook.hpp"
#include "stack/ip/endpoint_table.hpp"
#include "stack/packet/kept_packet.hpp"

namespace stack::udp {

class Udp;

struct Datagram {
  Packet payload;  // data at the payload
  SocketAddress remote;
  SocketAddress local;    // the address that it was sent to
  bool to_group = false;  // a group, a broadcast address: others got it too
};

struct WaitingDatagram {
  KeptPacket payload;
  SocketAddress remote, local;
  bool to_group = false;
};

class Endpoint : public std::enable_shared_from_this<Endpoint> {
 public:
  Endpoint(Udp& udp, std::shared_ptr<const Owner> owner, std::size_t queue_limit);
  ~Endpoint();
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  void set_readable_handler(std::function<void()> handler);
  // Fixes the remote: others' datagrams are not for this endpoint any more. Chooses the local address. Sends nothing.
  Error connect(const SocketAddress& remote);
  Error send_to(Bytes payload, const SocketAddress& remote, const std::optional<IpAddress>& source = std::nullopt);
  std::optional<Datagram> receive();
  Error take_error();
  SocketAddress local() const { return record_.local; }
  SocketAddress remote() const { return record_.remote; }
  EndpointId id() const { return record_.facts.endpoint; }
  bool is_open() const { return open_; }
  void close();

  std::size_t queued_memory() const { return queued_; }

 private:
  friend class Udp;
  Datagram pop();

  Udp* udp_;  // closes all its endpoints before it goes; used while this one is open
  std::shared_ptr<const Owner> owner_;
  ip::EndpointRecord record_;
  bool open_ = false;
  Error error_ = Error::None;
  bool notification_posted_ = false;
  std::function<void()> on_readable_;
  Ring<WaitingDatagram> queue_;
  std::size_t queued_ = 0;  // bytes of memory that wait
};

}  // namespace stack::udp
