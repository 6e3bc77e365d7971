// The part of the resolver that speaks ARP (RFC 826, RFC 5227).
#include <algorithm>

#include "stack/neighbor/resolver.hpp"
#include "stack/wire/arp.hpp"
#include "stack/wire/ethernet.hpp"

namespace stack::neighbor {

void Resolver::send_arp(std::uint16_t operation, const IpAddress& sender_ip, const MacAddress& target_mac,
                        const IpAddress& target_ip, const MacAddress& to) {
  Packet packet = pool_.allocate(wire::ArpView::kSize);
  const MutableBytes bytes = packet ? packet.make_private(wire::ArpView::kSize) : MutableBytes{};
  if (bytes.empty()) return hooks_.stats().count(Drop::NoBuffers);
  wire::ArpFields{.operation = wire::ArpOperation{operation},
                  .sender_mac = host_.mac(),
                  .sender_ip = sender_ip,
                  .target_mac = target_mac,
                  .target_ip = target_ip}
      .emit(bytes);
  packet.meta().origin = Origin::Neighbor;
  packet.meta().direction = Direction::Outbound;
  transmit(std::move(packet), to, wire::kEtherTypeArp);
}

// RFC 5227 2.4: defend once in a while, keep the address, let the owner of the logs know.
void Resolver::on_arp_conflict(const IpAddress& address, OwnAddress state, Instant now) {
  ++conflicts_;
  if (detection_.on_conflict(address) || state == OwnAddress::Tentative || state == OwnAddress::Optimistic)
    return host_.address_duplicate(address);
  if (now < next_defence_) return;
  next_defence_ = now + config_.defend_interval;
  announce(address);
}

void Resolver::on_arp(Packet packet, Instant now) {
  now_ = now;
  const auto parsed = wire::ArpView::parse(packet.head(std::min(packet.size(), wire::ArpView::kSize)));
  if (!parsed) return hooks_.discard(std::move(packet), parsed.drop());
  const wire::ArpView& arp = *parsed;
  const IpAddress sender = arp.sender_ip(), target = arp.target_ip();
  const MacAddress sender_mac = arp.sender_mac();
  if (sender_mac == host_.mac()) return;  // our own, sent back by a hub
  if (sender_mac.is_multicast() || sender.is_multicast() || sender.is_broadcast())
    return hooks_.discard(std::move(packet), Drop::NeighborInvalid);

  const OwnAddress claimed = host_.own_address(sender);
  if (claimed != OwnAddress::NotOurs) return on_arp_conflict(sender, claimed, now);
  const OwnAddress asked = host_.own_address(target);
  const bool is_request = arp.operation() == wire::ArpOperation::Request;
  if (is_request && sender.is_unspecified() && detection_.is_probing(target))
    return on_arp_conflict(target, asked, now);

  // RFC 826: what is known is refreshed by everybody; a new entry is made only for those who talk to us.
  const bool to_us = asked == OwnAddress::Preferred || asked == OwnAddress::Optimistic;
  Cache::Entry* entry = sender.is_unspecified() ? nullptr : cache_.find(sender);
  if (entry == nullptr && to_us && !sender.is_unspecified()) {
    std::vector<Packet> evicted;
    entry = &cache_.make(sender, evicted);
    discard_all(std::move(evicted), Drop::NeighborQueueFull);
  }
  if (entry != nullptr) {
    const bool solicited = !is_request && to_us;
    const bool answered =
        solicited ? entry->state.on_advertisement({.mac = &sender_mac, .solicited = true, .override_entry = true},
                                                  config_.timing, now)
                  : entry->state.on_heard(sender_mac);
    cache_.reschedule(*entry);
    if (answered) learned(*entry, now);
  }
  if (is_request && to_us)
    send_arp(static_cast<std::uint16_t>(wire::ArpOperation::Reply), target, sender_mac, sender, sender_mac);
}

}  // namespace stack::neighbor
