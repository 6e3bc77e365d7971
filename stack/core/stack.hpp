// A TCP/IP stack: interfaces, neighbours, IP, ICMP, UDP, TCP and their sockets, put together. One thread owns it:
// poll(), receive() and all sockets are used there; others reach it through executor().
//
// Nothing here reads a clock, a random source or a descriptor: time comes with poll() and receive(), the rest at
// construction. Between calls there is nothing going on: the owner calls again at next_deadline(), when wake() was
// called or when a link has frames.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stack/base/account.hpp"
#include "stack/base/executor.hpp"
#include "stack/base/log.hpp"
#include "stack/base/rng.hpp"
#include "stack/core/config.hpp"
#include "stack/hooks/hooks.hpp"
#include "stack/hooks/injector.hpp"
#include "stack/ip/endpoint_table.hpp"
#include "stack/link/link.hpp"
#include "stack/packet/packet_pool.hpp"
#include "stack/socket/tcp_listener.hpp"
#include "stack/socket/udp_socket.hpp"

namespace stack::core {

// What comes from outside. All of it outlives the stack.
struct Parties {
  RandomSource* random = nullptr;
  LogSink* log = nullptr;             // may be null
  std::function<void()> wake;         // makes the owner call poll() soon; from any thread; may be empty
  std::shared_ptr<Account> memory{};  // shared with other stacks; null: one of its own, of Config::receive_memory
};

class Interface;

class Stack {
 public:
  static constexpr InterfaceIndex kLoopbackInterface = 1;
  static constexpr std::size_t kMaxInterfaces = 16;

  Stack(const Config& config, Parties parties, Instant now);
  ~Stack();  // connections end without a word, sockets close, what waits is given up; packets that others hold live on
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  // --- set-up ---
  // `link` outlives the stack. An Ethernet interface gets its link-local address (Config). 0: too many interfaces.
  InterfaceIndex add_interface(Link& link, std::string name);
  bool add_address(InterfaceIndex interface_index, const IpPrefix& address);  // with the route to its prefix
  void remove_address(InterfaceIndex interface_index, const IpAddress& address);
  bool add_route(const IpPrefix& destination, const std::optional<IpAddress>& gateway,
                 InterfaceIndex interface_index);
  bool join_group(InterfaceIndex interface_index, const IpAddress& group);
  bool are_addresses_usable() const;  // no duplicate detection holds any back

  // --- work ---
  void receive(InterfaceIndex interface_index, Packet frame, Instant now);  // a frame that came in by a link
  // Posted tasks, injected packets, loopback and timers, each within the round's bound (Config); then flushes the
  // links.
  void poll(Instant now);
  Instant next_deadline() const;  // when poll() has something to do next; not later than now when work is left
  bool is_idle() const;           // no task, injected or looped packet waits
  Instant now() const;            // of the running or last round

  // --- sockets: on behalf of `owner`, which may not be null ---
  struct UdpResult {
    UdpSocket socket;
    Error error = Error::None;
  };
  struct ListenResult {
    TcpListener listener;
    Error error = Error::None;
  };
  struct ConnectResult {
    TcpStream stream;
    Error error = Error::None;  // None or InProgress: the stream's observer hears how it ends
  };
  UdpResult open_udp(const SocketAddress& local, std::shared_ptr<const Owner> owner);
  ListenResult listen_tcp(const SocketAddress& local, std::shared_ptr<const Owner> owner);
  // `local` may be unspecified in address, port or both.
  ConnectResult connect_tcp(const SocketAddress& remote, const SocketAddress& local,
                            std::shared_ptr<const Owner> owner);

  // --- for those at the hooks ---
  Hooks& hooks();
  Injector& injector();
  Executor& executor();
  const Stats& stats() const;
  Account& memory();  // of what is received
  struct SendMemory {
    std::size_t held = 0, limit = 0;
  };
  SendMemory send_memory() const;  // of what is written and not acknowledged
  void resume(Ticket ticket);      // a parked operation may go on; unknown tickets are ignored
  void abort_flow(FlowTag flow);   // the conversation ends; unknown ones are ignored
  const ip::EndpointTable& endpoints() const;
  EndpointId control_endpoint() const;  // stands for no tuple, may send any (Injector::send_transport)

  // --- parts, for status and tests ---
  PacketPool& pool();
  const ip::AddressTable& addresses() const;
  const ip::RouteTable& routes() const;
  Interface* interface(InterfaceIndex interface_index);  // null: none, or the loopback
  ip::IpSender& output();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stack::core
