// The part of the resolver that speaks neighbour discovery (RFC 4861, RFC 4862 5.4, RFC 4429). Checksums were
// verified by the ICMPv6 endpoint; every other rule of validity is here. Redirects are ignored.
#include "stack/neighbor/resolver.hpp"
#include "stack/wire/icmpv6.hpp"

namespace stack::neighbor {

void Resolver::send_neighbor(const wire::NeighborFields& fields, const IpAddress& source,
                             const IpAddress& destination) {
  Packet packet = pool_.allocate(fields.size());
  const MutableBytes bytes = packet ? packet.make_private(fields.size()) : MutableBytes{};
  if (bytes.empty()) return hooks_.stats().count(Drop::NoBuffers);
  fields.emit(bytes);
  host_.send_icmpv6(std::move(packet), source, destination, now_);
}

void Resolver::on_ndp(Bytes message, const PacketMeta& meta, Instant now) {
  now_ = now;
  const auto invalid = [this] { hooks_.stats().count(Drop::NeighborInvalid); };
  if (meta.hop_limit != wire::kNdpHopLimit || load_u8(message, 1) != 0) return invalid();  // 6.1, 7.1
  switch (load_u8(message, 0)) {
    case wire::icmpv6::kNeighborSolicit:
    case wire::icmpv6::kNeighborAdvert: {
      const auto neighbor = wire::NeighborView::parse(message);
      if (!neighbor || neighbor->target().is_multicast()) return invalid();
      return load_u8(message, 0) == wire::icmpv6::kNeighborSolicit ? on_solicitation(*neighbor, meta, now)
                                                                   : on_advertisement(*neighbor, meta, now);
    }
    case wire::icmpv6::kRouterAdvert:
      return on_router_advertisement(message, meta, now);
    default:
      return;  // a host neither answers routers' questions nor follows redirects
  }
}

void Resolver::on_duplicate(const IpAddress& address) {
  ++conflicts_;
  detection_.on_conflict(address);
  host_.address_duplicate(address);
}

void Resolver::on_solicitation(const wire::NeighborView& message, const PacketMeta& meta, Instant now) {
  const IpAddress target = message.target();
  const auto& source_mac = message.options().source_mac;
  const bool is_detection = meta.source.is_unspecified();
  if (is_detection && (source_mac || meta.destination != wire::solicited_node_group(target)))
    return hooks_.stats().count(Drop::NeighborInvalid);  // 7.1.1
  const OwnAddress own = host_.own_address(target);
  if (own == OwnAddress::NotOurs) return;
  if (is_detection && own != OwnAddress::Preferred) return on_duplicate(target);  // RFC 4862 5.4.3: two probe at once
  if (own == OwnAddress::Tentative) return;
  if (!is_detection && source_mac) {
    Cache::Entry* entry = cache_.find(meta.source);
    if (entry == nullptr) {
      std::vector<Packet> evicted;
      entry = &cache_.make(meta.source, evicted);
      discard_all(std::move(evicted), Drop::NeighborQueueFull);
    }
    const bool answered = entry->state.on_heard(*source_mac);
    cache_.reschedule(*entry);
    if (answered) learned(*entry, now);
  }
  wire::NeighborFields answer{.type = wire::icmpv6::kNeighborAdvert,
                              .solicited = !is_detection,
                              .override_entry = own == OwnAddress::Preferred,  // RFC 4429 3.3
                              .target = target};
  answer.options.target_mac = host_.mac();
  send_neighbor(answer, target, is_detection ? wire::all_nodes_group() : meta.source);
}

void Resolver::on_advertisement(const wire::NeighborView& message, const PacketMeta& meta, Instant now) {
  if (message.is_solicited() && meta.destination.is_multicast())
    return hooks_.stats().count(Drop::NeighborInvalid);  // 7.1.2
  const IpAddress target = message.target();
  const OwnAddress own = host_.own_address(target);
  if (own == OwnAddress::Tentative || own == OwnAddress::Optimistic) return on_duplicate(target);
  if (own == OwnAddress::Preferred) {  // RFC 4862 5.4.4: beyond repair, but worth a word
    ++conflicts_;
    return;
  }
  Cache::Entry* entry = cache_.find(target);
  if (entry == nullptr) return;  // 7.2.5: nobody asked
  const auto& mac = message.options().target_mac;
  const bool answered = entry->state.on_advertisement(
      {.mac = mac ? &*mac : nullptr, .solicited = message.is_solicited(), .override_entry = message.is_override()},
      config_.timing, now);
  if (entry->is_router && !message.is_router()) host_.router_heard(target, Duration{}, now);
  entry->is_router = message.is_router();
  cache_.reschedule(*entry);
  if (answered) learned(*entry, now);
}

void Resolver::on_router_advertisement(Bytes message, const PacketMeta& meta, Instant now) {
  const auto advert = wire::RouterAdvertView::parse(message);
  if (!advert || !meta.source.is_link_local()) return hooks_.stats().count(Drop::NeighborInvalid);  // 6.1.2
  solicitations_left_ = 0;
  next_solicitation_ = kNever;
  if (advert->hop_limit() != 0) host_.hop_limit_heard(advert->hop_limit());
  if (advert->reachable_ms() != 0 && advert->reachable_ms() <= 3'600'000)
    config_.timing.reachable = advert->reachable_ms() * Duration{1ms};
  if (advert->retransmit_ms() >= 100 && advert->retransmit_ms() <= 60'000)
    config_.timing.retransmit = advert->retransmit_ms() * Duration{1ms};
  if (advert->options().mtu) host_.mtu_heard(*advert->options().mtu);
  if (const auto& mac = advert->options().source_mac) {
    Cache::Entry* entry = cache_.find(meta.source);
    if (entry == nullptr) {
      std::vector<Packet> evicted;
      entry = &cache_.make(meta.source, evicted);
      discard_all(std::move(evicted), Drop::NeighborQueueFull);
    }
    entry->is_router = true;
    const bool answered = entry->state.on_heard(*mac);
    cache_.reschedule(*entry);
    if (answered) learned(*entry, now);
  }
  host_.router_heard(meta.source, advert->router_lifetime_seconds() * Duration{1s}, now);
}

void Resolver::solicit_routers(Instant now) {
  solicitations_left_ = config_.router_solicitations;
  send_router_solicitation(now);
}

void Resolver::send_router_solicitation(Instant now) {
  next_solicitation_ = kNever;
  if (solicitations_left_ <= 0) return;
  if (--solicitations_left_ > 0) next_solicitation_ = now + config_.router_solicitation_interval;
  const IpAddress routers = wire::all_routers_group();
  const auto source = host_.source_for(routers);
  wire::RouterSolicitFields fields;
  const bool may_tell = source && host_.own_address(*source) == OwnAddress::Preferred;
  if (may_tell) fields.options.source_mac = host_.mac();
  Packet packet = pool_.allocate(fields.size());
  const MutableBytes bytes = packet ? packet.make_private(fields.size()) : MutableBytes{};
  if (bytes.empty()) return hooks_.stats().count(Drop::NoBuffers);
  fields.emit(bytes);
  host_.send_icmpv6(std::move(packet), may_tell ? *source : IpAddress::any(Family::V6), routers, now);
}

}  // namespace stack::neighbor
