// The send path of IP: route, transport-out hook, header, IP-out hook, then what the link does not do itself
// (checksums, segmentation) and what the path demands (fragments). One path for both families. Where a packet goes is
// decided in output_route.cpp, what hooks must not see unfinished in output_offload.cpp, how it fits in
// output_fit.cpp, the way between them in output.cpp.
//
// Ownership: every packet given to send() is sent, kept by a hook, or discarded under a reason before send() returns
// or while it waits for its neighbour. Used on the stack's thread.
#pragma once

#include <optional>

#include "stack/base/executor.hpp"
#include "stack/base/rng.hpp"
#include "stack/base/teller.hpp"
#include "stack/hooks/hooks.hpp"
#include "stack/ip/address_table.hpp"
#include "stack/ip/fragmenter.hpp"
#include "stack/ip/ip_interface.hpp"
#include "stack/ip/ip_sender.hpp"
#include "stack/ip/path_mtu.hpp"
#include "stack/ip/route_table.hpp"
#include "stack/ip/transport_table.hpp"

namespace stack::ip {

// What IP works with; all of it belongs to the stack.
struct IpParts {
  Hooks& hooks;
  PacketPool& pool;
  RandomSource& random;
  Executor& executor;
  InterfaceTable& interfaces;
  AddressTable& addresses;
  RouteTable& routes;
  PathMtuCache& path_mtus;
  TransportTable& transports;
  Teller& teller;  // of the account for what waits
};

class Output final : public IpSender {
 public:
  static constexpr std::uint32_t kMaxPacket = 65'535;

  explicit Output(const IpParts& parts) : parts_(parts) {}

  Result<Route> route(const IpAddress& remote, const std::optional<IpAddress>& source) override;
  std::uint32_t route_generation() const override;
  void send(Packet packet, const SendFacts& facts, const Route& route, Instant now) override;
  void confirm_reachable(const Route& route, Instant now) override;

  // A packet with its IP header, taken as it is (Injector::send_network): transport-out hook, IP-out hook, link. Its
  // IPv4 header checksum is corrected; a partial transport checksum is finished; a large send is cut like any other.
  void send_with_header(Packet packet, Instant now);
  // An interface could not resolve the next hop of a packet that waited for it. Data at the IP header. The transport
  // is told, as an ICMP host unreachable from this very host would.
  void on_unreachable(Packet packet, Instant now);

 private:
  // What goes with a packet on its way out.
  struct Departure {
    const SendFacts& facts;
    const Route& route;
    Instant now;
  };

  bool put_header(Packet& packet, const Departure& departure, const IpInterface& interface);
  void show_behind_header(Packet packet, std::uint32_t header_size, const Departure& departure, bool may_be_partial);
  bool push_header(Packet& packet, const SendFacts& facts, const Route& route, const IpInterface& interface);
  bool correct_header_checksum(Packet& packet, std::uint32_t header_size);
  void after_header(Packet packet, const Departure& departure);
  void give_up(Packet packet, Drop reason, const Departure& departure);
  void tell_transport(const Packet& packet, const IpHeader& header, PathEvent::Kind kind, std::uint32_t mtu,
                      Instant now);

  // output_route.cpp
  std::optional<Route> find_route(const IpAddress& remote, InterfaceIndex interface_hint) const;

  // output_offload.cpp
  LinkCapabilities offload_of(const IpInterface& interface, Family family) const;
  void send_segments(Packet packet, const Departure& departure);

  // output_fit.cpp
  static std::uint32_t segment_size_of(const Packet& packet, std::uint32_t mtu);
  void transmit(Packet packet, const Departure& departure);
  void cut(Packet packet, std::uint32_t segment_size, IpInterface& interface, const Departure& departure);
  Cut segment(Packet& packet, const IpHeader& header, std::uint32_t segment_size, IpInterface& interface,
              const Departure& departure);
  Cut fragment(Packet& packet, const IpHeader& header, IpInterface& interface, const Departure& departure);

  IpParts parts_;
};

}  // namespace stack::ip
