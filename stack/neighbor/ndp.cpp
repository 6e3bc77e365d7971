// The part of the resolver that speaks neighbour discovery (RFC 4861, RFC 4862 5.4, RFC 4429). Checksums were
// verified by the ICMPv6 endpoint, which hands on nothing that came in fragments; every other rule of validity is here.
// Redirects are ignored.
#include "stack/neighbor/resolver.hpp"
#include "stack/wire/icmpv6.hpp"

namespace stack::neighbor {

namespace {

// RFC 4861 asks for no more than well-formed options; what RFC 1812 3.3.2 says of ARP holds here as well: no single
// host answers at a group's link address.
bool are_macs_legal(const wire::NdpOptions& options) {
  const auto is_legal = [](const std::optional<MacAddress>& mac) { return !mac || is_of_one_host(*mac); };
  return is_legal(options.source_mac) && is_legal(options.target_mac);
}

}  // namespace

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
      if (!neighbor || neighbor->target().is_multicast() || !are_macs_legal(neighbor->options())) return invalid();
      return load_u8(message, 0) == wire::icmpv6::kNeighborSolicit ? on_solicitation(*neighbor, meta, now)
                                                                   : on_advertisement(*neighbor, meta, now);
    }
    case wire::icmpv6::kRouterAdvert:
      return on_router_advertisement(message, meta, now);
    default:
      return;  // a host neither answers routers' questions nor follows redirects
  }
}

void Resolver::on_duplicate(const IpAddress& address, const std::optional<MacAddress>& owner) {
  const auto conflict = detection_.on_conflict(address, now_);
  host_.address_duplicate(address, owner, conflict.value_or(DuplicateDetection::Conflict{}));
}

void Resolver::on_solicitation(const wire::NeighborView& message, const PacketMeta& meta, Instant now) {
  const IpAddress target = message.target();
  const auto& source_mac = message.options().source_mac;
  const bool is_detection = meta.source.is_unspecified();
  if (is_detection && (source_mac || meta.destination != wire::solicited_node_group(target)))
    return hooks_.stats().count(Drop::NeighborInvalid);  // 7.1.1
  const OwnAddress own = host_.own_address(target);
  if (own == OwnAddress::NotOurs) return;
  if (is_detection && own != OwnAddress::Preferred)
    return on_duplicate(target, {});  // RFC 4862 5.4.3: two probe at once
  if (own == OwnAddress::Tentative) return;
  if (!is_detection && source_mac) heard(entry_for(meta.source), *source_mac, now);
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
  if (own == OwnAddress::Tentative || own == OwnAddress::Optimistic)
    return on_duplicate(target, message.options().target_mac);
  if (own == OwnAddress::Preferred)
    return hooks_.stats().count(Drop::NeighborInvalid);  // RFC 4862 5.4.4: beyond repair, and no reason to give it up
  Cache::Entry* entry = cache_.find(target);
  if (entry == nullptr) return;  // 7.2.5: nobody asked
  const auto& mac = message.options().target_mac;
  const EntryState::Advertisement told{
      .mac = mac ? &*mac : nullptr, .solicited = message.is_solicited(), .override_entry = message.is_override()};
  if (!advertised(*entry, told, now)) return;
  const bool was_router = std::exchange(entry->is_router, message.is_router());
  if (was_router && !message.is_router()) host_.router_heard(target, Duration{}, now);
}

void Resolver::on_router_advertisement(Bytes message, const PacketMeta& meta, Instant now) {
  const auto advert = wire::RouterAdvertView::parse(message);
  if (!advert || !meta.source.is_link_local() || !are_macs_legal(advert->options()))
    return hooks_.stats().count(Drop::NeighborInvalid);  // 6.1.2
  solicitations_left_ = 0;
  next_solicitation_ = kNever;
  if (advert->hop_limit() != 0) host_.hop_limit_heard(advert->hop_limit());
  if (advert->reachable_ms() != 0 && advert->reachable_ms() <= 3'600'000)
    config_.timing.reachable = advert->reachable_ms() * Duration{1ms};
  if (advert->retransmit_ms() >= 100 && advert->retransmit_ms() <= 60'000)
    config_.timing.retransmit = advert->retransmit_ms() * Duration{1ms};
  if (advert->options().mtu) host_.mtu_heard(*advert->options().mtu);
  if (const auto& mac = advert->options().source_mac) heard(entry_for(meta.source), *mac, now);
  if (Cache::Entry* entry = cache_.find(meta.source)) entry->is_router = true;
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
