// The receive path of IP: checks, "is it for us", IP-in hook, reassembly, and the transport that takes it. One path
// for both families.
//
// Hooks at IpIn see the data at the transport header. A fragment is shown twice, as a packet and, with is_fragment,
// on its way to reassembly; then the whole datagram is shown with is_reassembled. Super-frames are cut before when
// hooks ask for it. Used on the stack's thread; owns each packet until a transport has it.
#pragma once

#include "stack/ip/icmp_reply.hpp"
#include "stack/ip/reassembly.hpp"

namespace stack::ip {

class Input {
 public:
  Input(const IpParts& parts, IcmpReply& icmp_reply, SipKey key, const ReassemblyConfig& reassembly);

  // Data at the IP header; meta has origin, interface_index, link_broadcast, loopback, received_at.
  void receive(Packet packet, Instant now);

  void expire(Instant now) { reassembly_.expire(now); }
  Instant next_deadline() const { return reassembly_.next_deadline(); }
  const Reassembly& reassembly() const { return reassembly_; }
  void clear() { reassembly_.clear(); }

 private:
  void accept(Packet packet, const IpHeader& header, Instant now);  // checked, for us, data at the IP header
  bool show(Packet& packet, const IpHeader& header, bool as_fragment);
  void on_fragment(Packet packet, const IpHeader& header, Instant now);
  void deliver(Packet packet, const IpHeader& header, Instant now);
  bool is_fragment_legal(Packet& packet, const IpHeader& header, Instant now);  // false: the packet is gone
  TransportSink* find_sink(const IpHeader& header) const;
  void refuse(Packet packet, Drop reason, const std::optional<ParameterProblem>& problem, Instant now);
  bool is_source_legal(const PacketMeta& meta) const;
  bool may_be_in_group_frame(const PacketMeta& meta) const;
  void give_up(Packet packet, Drop reason);
  void give_up_unread(Packet packet, const IpHeader& header, Drop reason);  // data at the IP header

  IpParts parts_;
  IcmpReply& icmp_reply_;
  Reassembly reassembly_;
};

}  // namespace stack::ip
