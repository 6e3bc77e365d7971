// Neighbour resolution of one Ethernet interface: gives frames their link addresses, answers those who ask for ours,
// and learns of routers. ARP's messages are in arp.cpp, neighbour discovery's in ndp.cpp; both work on one cache.
//
// Ownership: a packet given to send() leaves as a frame, waits in a bounded queue, or goes back through
// ResolverHost::unreachable. Used on the stack's thread.
#pragma once

#include <array>

#include "stack/hooks/hooks.hpp"
#include "stack/neighbor/cache.hpp"
#include "stack/neighbor/duplicate_detection.hpp"
#include "stack/packet/packet_pool.hpp"
#include "stack/wire/ndp.hpp"

namespace stack::neighbor {

// What somebody else's claim to one of our addresses means depends on how far detection had come.
enum class OwnAddress : std::uint8_t { NotOurs, Tentative, Optimistic, Preferred };

// A link address that a single host can have: RFC 1812 3.3.2 says it of groups; all zeros is nobody's.
inline bool is_of_one_host(const MacAddress& mac) { return !mac.is_multicast() && mac != MacAddress{}; }

// What the resolver needs from the interface it belongs to.
class ResolverHost {
 public:
  virtual MacAddress mac() const = 0;
  virtual OwnAddress own_address(const IpAddress& address) const = 0;
  // An address to ask from; for IPv6 preferably link-local. Nothing: there is none of that family that may be used.
  virtual std::optional<IpAddress> source_for(const IpAddress& target) const = 0;
  virtual void transmit_frame(Packet frame) = 0;
  // An ICMPv6 message without IP header, checksum still to be made, hop limit 255.
  virtual void send_icmpv6(Packet message, const IpAddress& source, const IpAddress& destination, Instant now) = 0;
  virtual void unreachable(Packet packet, Instant now) = 0;  // data at the IP header
  virtual void address_unique(const IpAddress& address, bool was_duplicate) = 0;
  // Somebody else has it (`owner`: who, if it was said); it is not to be used. Detection begins anew after `retry`.
  virtual void address_duplicate(const IpAddress& address, const std::optional<MacAddress>& owner,
                                 const DuplicateDetection::Conflict& conflict) = 0;
  virtual void address_retried(const IpAddress& address) = 0;  // detection begins anew; not used until it is unique
  virtual void router_heard(const IpAddress& router, Duration lifetime, Instant now) = 0;  // zero: no router any more
  virtual void mtu_heard(std::uint32_t mtu) = 0;
  virtual void hop_limit_heard(std::uint8_t hop_limit) = 0;

 protected:
  ~ResolverHost() = default;
};

struct ResolverConfig {
  Timing timing;
  DetectionTiming detection;
  int router_solicitations = 3;  // RFC 4861 10
  Duration router_solicitation_interval = 4s;
  Duration defend_interval = 10s;  // RFC 5227 1.1
};

class Resolver final : private DuplicateDetection::Actions {
 public:
  Resolver(Hooks& hooks, PacketPool& pool, Teller& teller, RandomSource& random, ResolverHost& host, SipKey key,
           const ResolverConfig& config);
  ~Resolver();

  // An IP packet, data at its header, to a next hop on this link, a group or a broadcast address.
  void send(Packet packet, const IpAddress& next_hop, bool is_broadcast, Instant now);
  void confirm_reachable(const IpAddress& next_hop, Instant now);

  void on_arp(Packet packet, Instant now);  // data at the ARP header
  void on_ndp(Bytes message, const PacketMeta& meta, Instant now);

  bool detect_duplicates(const IpAddress& address, Instant now) {  // false: too many
    now_ = now;
    return detection_.add(address, now);
  }
  void forget_address(const IpAddress& address) { detection_.remove(address); }
  void solicit_routers(Instant now);  // RFC 4861 6.3.7; answers end it

  void on_timer(Instant now);
  Instant next_deadline() const;
  const Cache& cache() const { return cache_; }
  const EntryState* neighbor(const IpAddress& address) {  // null: not in the cache
    const Cache::Entry* entry = cache_.find(address);
    return entry == nullptr ? nullptr : &entry->state;
  }
  void clear();  // gives up what waits

 private:
  // DuplicateDetection::Actions
  void probe(const IpAddress& address) override;
  void announce(const IpAddress& address) override;
  void unique(const IpAddress& address, bool was_duplicate) override { host_.address_unique(address, was_duplicate); }
  void again(const IpAddress& address) override { host_.address_retried(address); }

  void transmit(Packet packet, const MacAddress& to, std::uint16_t ether_type);
  void solicit(const Cache::Entry& entry, Solicit how, Instant now);
  Cache::Entry& entry_for(const IpAddress& address);  // found or made
  void heard(Cache::Entry& entry, const MacAddress& mac, Instant now);
  bool advertised(Cache::Entry& entry, const EntryState::Advertisement& advertisement,
                  Instant now);                    // false: ignored
  void learned(Cache::Entry& entry, Instant now);  // sends what waited
  void give_up(const IpAddress& address, Instant now);
  void discard_all(std::vector<KeptPacket> packets, Drop reason);

  // arp.cpp
  void send_arp(std::uint16_t operation, const IpAddress& sender_ip, const MacAddress& target_mac,
                const IpAddress& target_ip, const MacAddress& to);
  void on_arp_conflict(const IpAddress& address, OwnAddress state, const MacAddress& claimant, Instant now);
  void on_arp_reply(const IpAddress& sender, const MacAddress& mac, bool to_us, Instant now);
  // ndp.cpp
  void send_neighbor(const wire::NeighborFields& fields, const IpAddress& source, const IpAddress& destination);
  void on_solicitation(const wire::NeighborView& message, const PacketMeta& meta, Instant now);
  void on_advertisement(const wire::NeighborView& message, const PacketMeta& meta, Instant now);
  void on_router_advertisement(Bytes message, const PacketMeta& meta, Instant now);
  void on_duplicate(const IpAddress& address, const std::optional<MacAddress>& owner);
  void send_router_solicitation(Instant now);

  Hooks& hooks_;
  PacketPool& pool_;
  Keeping keeping_;
  ResolverHost& host_;
  ResolverConfig config_;
  Cache cache_;
  DuplicateDetection detection_;
  Instant next_defence_;  // RFC 5227 2.4 (c)
  int solicitations_left_ = 0;
  Instant next_solicitation_ = kNever;
  Instant now_;  // of the call that is running, for the detection's actions
};

}  // namespace stack::neighbor
