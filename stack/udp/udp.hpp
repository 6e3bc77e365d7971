// UDP (RFC 768): finds the endpoint of a datagram, authorizes conversations, and sends. Datagrams that nobody wants
// are discarded at the IP hook, where an observer may silence the ICMP port unreachable.
//
// A conversation is an endpoint with one remote. Its first datagram needs accept (inbound) or connect (outbound); the
// answer holds until the conversation has been idle (UdpConfig::flow_idle). Without an authorizer there are no
// conversations. Bounded: endpoints, conversations, datagrams waiting at an endpoint. Used on the stack's thread.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "stack/ip/endpoint_table.hpp"
#include "stack/ip/flow_table.hpp"
#include "stack/ip/icmp_reply.hpp"
#include "stack/ip/output.hpp"
#include "stack/udp/endpoint.hpp"

namespace stack::udp {

struct UdpConfig {
  std::size_t endpoint_limit = 4096;
  std::size_t flow_limit = 16'384;
  Duration flow_idle = 60s;
  std::size_t receive_queue_limit = 256;   // datagrams of one endpoint
  std::uint16_t ephemeral_first = 49'152;  // RFC 6335 6
  std::uint16_t ephemeral_last = 65'535;
};

class Udp final : public ip::TransportSink {
 public:
  // `now` is the stack's clock of the running round.
  Udp(const ip::IpParts& parts, ip::Output& output, ip::IcmpReply& icmp_reply, ip::EndpointTable& endpoints,
      SipKey key, const UdpConfig& config, const Instant& now);
  ~Udp() override;

  struct Opened {
    std::shared_ptr<Endpoint> endpoint;  // null on failure
    Error error = Error::None;           // InProgress: the authorizer takes its time; the endpoint opens by itself
  };
  // Binds. Port 0: a random free one. An unspecified address: every one of its family.
  Opened open(const SocketAddress& local, std::shared_ptr<const Owner> owner);

  void receive(Packet packet, Instant now) override;
  bool may_have_sent(const ip::PathEvent& event) const override;
  void path_event(const ip::PathEvent& event, Instant now) override;

  // A datagram that came back through the Injector. Data at the UDP header; `facts` and `route` are complete but for
  // the endpoint, which is alive.
  void send_injected(Packet packet, EndpointId endpoint, ip::SendFacts facts, const ip::Route& route, Instant now);

  bool resume(Ticket ticket);  // false: not one of ours
  bool abort_flow(FlowTag flow) { return flows_.erase_flow(flow); }
  void expire(Instant now) { flows_.expire(now); }
  Instant next_deadline() const { return flows_.next_deadline(); }
  std::size_t size() const { return open_.size(); }
  void close_all();

 private:
  friend class Endpoint;
  struct Tuple {
    SocketAddress local, remote;
    bool operator==(const Tuple&) const = default;
  };
  struct TupleHash {
    SipKey key;
    std::size_t operator()(const Tuple& tuple) const;
  };
  struct Inbound;  // a datagram on its way in

  // --- demux.cpp ---
  Endpoint* find(const SocketAddress& local, const SocketAddress& remote) const;
  bool is_taken(const SocketAddress& local) const;
  std::uint16_t choose_port(const IpAddress& address);  // 0: none is free
  void enlist(Endpoint& endpoint);
  void delist(const Endpoint& endpoint);

  // --- input.cpp ---
  PacketContext context_of(Hook hook, const Packet& packet, const Inbound& inbound) const;
  bool inspect(Packet& packet, Hook hook, const Inbound& inbound);
  void give_up(Packet packet, Hook hook, Drop reason, const Inbound& inbound);
  void no_endpoint(Packet packet, const Inbound& inbound, Instant now);
  bool authorize(Packet& packet, Inbound& inbound, const ip::FlowKey& key, Instant now);
  void enqueue(Packet packet, const Inbound& inbound);
  void notify(Endpoint& endpoint);

  // --- output.cpp ---
  Error connect(Endpoint& endpoint, const SocketAddress& remote);
  Error send(Endpoint& endpoint, Bytes payload, const SocketAddress& remote, const std::optional<IpAddress>& source);
  // Allow: flow is in facts, the packet may go. Otherwise the packet is gone.
  Error authorize_send(Packet& packet, ip::SendFacts& facts, const ip::Route& route, bool injected, Instant now);

  // --- udp.cpp ---
  Error authorize_bind(Endpoint& endpoint, Ticket resumed);
  void close(Endpoint& endpoint);

  ip::IpParts parts_;
  ip::Output& output_;
  ip::IcmpReply& icmp_reply_;
  ip::EndpointTable& endpoints_;
  UdpConfig config_;
  const Instant& now_;
  ip::FlowTable flows_;
  std::unordered_map<Tuple, Endpoint*, TupleHash> by_tuple_;  // remote port 0: not connected
  std::unordered_map<std::uint64_t, std::shared_ptr<Endpoint>> open_;
  struct Parked {
    Ticket ticket = 0;
    std::weak_ptr<Endpoint> endpoint;
  };
  std::vector<Parked> parked_;
};

}  // namespace stack::udp
