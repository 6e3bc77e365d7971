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

// RFC 5227 2.4 (c): keep the address, and defend it once in a while. One that is not ours yet is given up.
void Resolver::on_arp_conflict(const IpAddress& address, OwnAddress state, const MacAddress& claimant, Instant now) {
  const auto conflict = detection_.on_conflict(address, now);
  if (conflict || state == OwnAddress::Tentative || state == OwnAddress::Optimistic)
    return host_.address_duplicate(address, claimant, conflict.value_or(DuplicateDetection::Conflict{}));
  if (now < next_defence_) return;
  next_defence_ = now + config_.defend_interval;
  announce(address);
}

// An answer counts as one when a question is out: only then it proves that the way works both ways (RFC 4861 7.3.1).
// One that nobody asked for renews what is known (RFC 826) and makes no entry.
void Resolver::on_arp_reply(const IpAddress& sender, const MacAddress& mac, bool to_us, Instant now) {
  Cache::Entry* entry = cache_.find(sender);
  if (entry == nullptr) return;
  if (to_us && entry->state.is_asked())
    advertised(*entry, {.mac = &mac, .solicited = true, .override_entry = true}, now);
  else
    heard(*entry, mac, now);
}

void Resolver::on_arp(Packet packet, Instant now) {
  now_ = now;
  const auto parsed = wire::ArpView::parse(packet.head(std::min(packet.size(), wire::ArpView::kSize)));
  if (!parsed) return hooks_.discard(std::move(packet), parsed.drop());
  const wire::ArpView& arp = *parsed;
  const IpAddress sender = arp.sender_ip(), target = arp.target_ip();
  const MacAddress sender_mac = arp.sender_mac();
  if (sender_mac == host_.mac()) return;  // our own, sent back by a hub
  if (!is_of_one_host(sender_mac) || sender.is_multicast() || sender.is_broadcast() || sender.is_loopback())
    return hooks_.discard(std::move(packet), Drop::NeighborInvalid);

  const OwnAddress claimed = host_.own_address(sender);
  if (claimed != OwnAddress::NotOurs) {
    hooks_.discard(std::move(packet), Drop::NeighborInvalid);
    return on_arp_conflict(sender, claimed, sender_mac, now);
  }
  const OwnAddress asked = host_.own_address(target);
  const bool is_request = arp.operation() == wire::ArpOperation::Request;
  if (is_request && sender.is_unspecified() && detection_.is_probing(target))
    return on_arp_conflict(target, asked, sender_mac, now);

  // RFC 826: what is known is refreshed by everybody; a new entry is made only for those who ask us.
  const bool to_us = asked == OwnAddress::Preferred || asked == OwnAddress::Optimistic;
  if (!is_request) return on_arp_reply(sender, sender_mac, to_us, now);
  Cache::Entry* entry = nullptr;
  if (!sender.is_unspecified()) entry = to_us ? &entry_for(sender) : cache_.find(sender);
  if (entry != nullptr) heard(*entry, sender_mac, now);
  if (to_us) send_arp(static_cast<std::uint16_t>(wire::ArpOperation::Reply), target, sender_mac, sender, sender_mac);
}

}  // namespace stack::neighbor
