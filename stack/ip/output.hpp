// The send path of IP: route, transport-out hook, header, IP-out hook, then what the link does not do itself
// (checksums, segmentation) and what the path demands (fragments). One path for both families.
//
// Ownership: every packet given to send() is sent, kept by a hook, or discarded under a reason before send() returns
// or while it waits for its neighbour. Used on the stack's thread.
#pragma once

#include <optional>

#include "stack/base/executor.hpp"
#include "stack/base/rng.hpp"
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
  // IPv4 header checksum is corrected; a partial transport checksum is finished.
  void send_with_header(Packet packet, Instant now);
  // An interface could not resolve the next hop of a packet that waited for it. Data at the IP header. The transport
  // is told, as an ICMP host unreachable from this very host would.
  void on_unreachable(Packet packet, Instant now);

 private:
  std::optional<Route> find_route(const IpAddress& remote, InterfaceIndex interface_hint) const;
  bool push_header(Packet& packet, const SendFacts& facts, const Route& route, const IpInterface& interface);
  void after_header(Packet packet, const SendFacts& facts, const Route& route, Instant now);
  void transmit(Packet packet, const SendFacts& facts, const Route& route, IpInterface& interface, Instant now);
  void fit(Packet packet, IpHeader& header, const SendFacts& facts, const Route& route, IpInterface& interface,
           Instant now);
  void give_up(Packet packet, Drop reason, const SendFacts& facts, const Route& route);
  void tell_transport(const Packet& packet, PathEvent::Kind kind, std::uint32_t mtu, std::size_t header_size,
                      Instant now);

  IpParts parts_;
};

}  // namespace stack::ip
