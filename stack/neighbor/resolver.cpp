#include "stack/neighbor/resolver.hpp"

#include <algorithm>

#include "stack/wire/arp.hpp"
#include "stack/wire/ethernet.hpp"

namespace stack::neighbor {

Resolver::Resolver(Hooks& hooks, PacketPool& pool, Teller& teller, RandomSource& random, ResolverHost& host,
                   SipKey key, const ResolverConfig& config)
    : hooks_(hooks),
      pool_(pool),
      keeping_{pool, teller, Use::Neighbors},
      host_(host),
      config_(config),
      cache_(key),
      detection_(random, config.detection, *this) {}

Resolver::~Resolver() { clear(); }

void Resolver::transmit(Packet packet, const MacAddress& to, std::uint16_t ether_type) {
  const MutableBytes header = packet.push(wire::EthernetView::kHeaderSize);
  if (header.empty()) return hooks_.discard(std::move(packet), Drop::NoBuffers);
  wire::EthernetFields{.destination = to, .source = host_.mac(), .ether_type = ether_type}.emit(header);
  packet.meta().link_header_size = wire::EthernetView::kHeaderSize;
  host_.transmit_frame(std::move(packet));
}

void Resolver::send(Packet packet, const IpAddress& next_hop, bool is_broadcast, Instant now) {
  now_ = now;
  const std::uint16_t type = next_hop.is_v4() ? wire::kEtherTypeIpv4 : wire::kEtherTypeIpv6;
  if (next_hop.is_multicast()) return transmit(std::move(packet), wire::multicast_mac(next_hop), type);
  if (is_broadcast) return transmit(std::move(packet), MacAddress::broadcast(), type);
  Cache::Entry* entry = cache_.find(next_hop);
  if (entry != nullptr && entry->state.has_mac()) {
    cache_.touch(*entry);
    if (entry->state.state() == State::Stale) {
      entry->state.on_send(config_.timing, now);
      cache_.reschedule(*entry);
    }
    return transmit(std::move(packet), entry->state.mac(), type);
  }
  const bool is_new = entry == nullptr;
  if (is_new) entry = &entry_for(next_hop);
  KeptPacket kept = KeptPacket::keep(keeping_, packet);
  if (!kept)
    hooks_.discard(std::move(packet), Drop::NeighborQueueFull);
  else if (KeptPacket oldest = cache_.wait(*entry, std::move(kept)))
    hooks_.discard(oldest.release(), Drop::NeighborQueueFull);
  if (!is_new) return;
  const Solicit how = entry->state.start(config_.timing, now);
  cache_.reschedule(*entry);
  solicit(*entry, how, now);
}

void Resolver::solicit(const Cache::Entry& entry, Solicit how, Instant now) {
  now_ = now;
  const IpAddress& target = entry.address;
  const auto source = host_.source_for(target);
  if (!source) return;  // nothing to ask from yet; the timer tries again
  if (target.is_v4()) {
    const MacAddress to = how == Solicit::Unicast ? entry.state.mac() : MacAddress::broadcast();
    return send_arp(static_cast<std::uint16_t>(wire::ArpOperation::Request), *source, {}, target, to);
  }
  wire::NeighborFields fields{.type = wire::icmpv6::kNeighborSolicit, .target = target};
  // RFC 4429 3.3: from an optimistic address nobody may learn who has it.
  if (host_.own_address(*source) != OwnAddress::Optimistic) fields.options.source_mac = host_.mac();
  send_neighbor(fields, *source, how == Solicit::Unicast ? target : wire::solicited_node_group(target));
}

Cache::Entry& Resolver::entry_for(const IpAddress& address) {
  if (Cache::Entry* known = cache_.find(address)) return *known;
  std::vector<KeptPacket> evicted;
  Cache::Entry& made = cache_.make(address, evicted);
  discard_all(std::move(evicted), Drop::NeighborQueueFull);
  return made;
}

void Resolver::heard(Cache::Entry& entry, const MacAddress& mac, Instant now) {
  const bool answered = entry.state.on_heard(mac);
  cache_.reschedule(entry);
  if (answered) learned(entry, now);
}

bool Resolver::advertised(Cache::Entry& entry, const EntryState::Advertisement& advertisement, Instant now) {
  const auto heed = entry.state.on_advertisement(advertisement, config_.timing, now);
  cache_.reschedule(entry);
  if (heed == EntryState::Heed::Answered) learned(entry, now);
  return heed != EntryState::Heed::Ignored;
}

void Resolver::learned(Cache::Entry& entry, Instant now) {
  std::vector<KeptPacket> waiting = std::exchange(entry.waiting, {});
  const MacAddress mac = entry.state.mac();
  const std::uint16_t type = entry.address.is_v4() ? wire::kEtherTypeIpv4 : wire::kEtherTypeIpv6;
  if (!waiting.empty()) entry.state.on_send(config_.timing, now);
  cache_.reschedule(entry);
  for (KeptPacket& packet : waiting) transmit(packet.release(), mac, type);
}

void Resolver::confirm_reachable(const IpAddress& next_hop, Instant now) {
  Cache::Entry* entry = cache_.find(next_hop);
  if (entry == nullptr) return;
  entry->state.on_confirmation(config_.timing, now);
  cache_.reschedule(*entry);
}

void Resolver::discard_all(std::vector<KeptPacket> packets, Drop reason) {
  for (KeptPacket& packet : packets) hooks_.discard(packet.release(), reason);
}

void Resolver::give_up(const IpAddress& address, Instant now) {
  Cache::Entry* entry = cache_.find(address);
  if (entry == nullptr) return;  // what the one before it set off needed its place
  std::vector<KeptPacket> waiting = std::move(entry->waiting);
  const bool was_router = entry->is_router;
  cache_.erase(address);
  if (was_router) host_.router_heard(address, Duration{}, now);
  for (KeptPacket& packet : waiting) host_.unreachable(packet.release(), now);
}

void Resolver::on_timer(Instant now) {
  now_ = now;
  std::vector<IpAddress> lost;
  cache_.for_each_due(now, [&](Cache::Entry& entry) {
    const Solicit how = entry.state.on_timer(config_.timing, now);
    if (how == Solicit::GiveUp)
      lost.push_back(entry.address);
    else if (how != Solicit::None)
      solicit(entry, how, now);
  });
  for (const IpAddress& address : lost) give_up(address, now);
  detection_.on_timer(now);
  if (next_solicitation_ <= now) send_router_solicitation(now);
}

Instant Resolver::next_deadline() const {
  return std::min({cache_.next_deadline(), detection_.next_deadline(), next_solicitation_});
}

void Resolver::clear() { discard_all(cache_.clear(), Drop::Shutdown); }

void Resolver::probe(const IpAddress& address) {
  if (address.is_v4())
    return send_arp(static_cast<std::uint16_t>(wire::ArpOperation::Request), IpAddress{}, {}, address,
                    MacAddress::broadcast());
  wire::NeighborFields fields{.type = wire::icmpv6::kNeighborSolicit, .target = address};
  send_neighbor(fields, IpAddress::any(Family::V6), wire::solicited_node_group(address));
}

void Resolver::announce(const IpAddress& address) {
  send_arp(static_cast<std::uint16_t>(wire::ArpOperation::Request), address, {}, address, MacAddress::broadcast());
}

}  // namespace stack::neighbor
