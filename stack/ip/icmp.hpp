// ICMP and ICMPv6 as transports: the stack's own endpoint answers echo requests, hands errors to the transport whose
// packet they quote, and neighbour discovery to whom it concerns. What hooks see is the same for all: TransportIn
// with the data at the ICMP header; an error also passes IcmpErrorIn with the data at the quoted IP header.
//
// The first echo request of a (remote, id) is authorized like the first datagram of a UDP conversation. Bounded:
// FlowTable.
#pragma once

#include <memory>

#include "stack/ip/endpoint_table.hpp"
#include "stack/ip/flow_table.hpp"
#include "stack/ip/output.hpp"
#include "stack/wire/ipv4_options.hpp"

namespace stack::ip {

struct IcmpConfig {
  std::size_t flow_limit = 1024;
  Duration flow_idle = 60s;
};

// Takes neighbour discovery's messages (types 133 to 137). Implemented by stack/core over the interfaces.
class NdpReceiver {
 public:
  virtual void on_ndp(Bytes message, const PacketMeta& meta, Instant now) = 0;

 protected:
  ~NdpReceiver() = default;
};

class Icmp final : public TransportSink {
 public:
  Icmp(const IpParts& parts, Output& output, EndpointTable& endpoints, PathMtuCache& path_mtus, NdpReceiver& ndp,
       std::shared_ptr<const Owner> owner, SipKey key, const IcmpConfig& config);
  ~Icmp() override;

  void receive(Packet packet, Instant now) override;
  bool may_have_sent(const PathEvent& event) const override;  // replies to echoes are all that we send
  void path_event(const PathEvent&, Instant) override {}      // and nobody waits to hear of them

  EndpointId endpoint(Family family) const { return record(family).facts.endpoint; }
  FlowTable& flows() { return flows_; }

 private:
  struct Message;  // a parsed message beside its packet
  const EndpointRecord& record(Family family) const { return family == Family::V4 ? record_v4_ : record_v6_; }
  PacketContext context_of(Hook hook, const Packet& packet, const Message& message) const;
  void give_up(Packet packet, Drop reason, const Message& message);
  bool inspect(Packet& packet, Hook hook, const Message& message);
  void on_echo(Packet packet, Message& message, Instant now);
  bool authorize(Packet& packet, Message& message, const FlowKey& key, Instant now);
  static wire::Ipv4EchoOptions options_for(Packet& request, const IpAddress& own, Instant now);
  void reply(Packet packet, const Message& message, Instant now);
  void on_error(Packet packet, Message& message, Instant now);
  void hand_over(Bytes quoted, const Message& message, Instant now);

  IpParts parts_;
  Output& output_;
  EndpointTable& endpoints_;
  PathMtuCache& path_mtus_;
  NdpReceiver& ndp_;
  std::shared_ptr<const Owner> owner_;
  IcmpConfig config_;
  FlowTable flows_;
  EndpointRecord record_v4_, record_v6_;
};

}  // namespace stack::ip
