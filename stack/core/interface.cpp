#include "stack/core/interface.hpp"

#include <algorithm>

#include "stack/core/config.hpp"
#include "stack/ip/transport_checksum.hpp"
#include "stack/link/ethernet_demux.hpp"
#include "stack/wire/ethernet.hpp"
#include "stack/wire/icmpv6.hpp"

namespace stack::core {

using neighbor::OwnAddress;

namespace {

// The EtherType and the packet name the same version. One without a first byte is left to IP.
bool is_of_its_kind(Packet& packet, link::FrameKind kind) {
  const Bytes first = packet.head(std::min<std::size_t>(packet.size(), 1));
  return first.empty() || load_u8(first, 0) >> 4 == (kind == link::FrameKind::Ipv6 ? 6 : 4);
}

std::string text_of(const MacAddress& mac) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : mac.bytes) {
    if (!text.empty()) text += ':';
    text += {kDigits[std::to_integer<unsigned>(byte) >> 4], kDigits[std::to_integer<unsigned>(byte) & 0xf]};
  }
  return text;
}

}  // namespace

Interface::Interface(InterfaceIndex index, std::string name, Link& link, const InterfaceParts& parts, SipKey key)
    : index_(index), name_(std::move(name)), link_(link), parts_(parts) {
  if (link.medium() != Medium::Ethernet) return;
  neighbor::ResolverHost& host = *this;
  resolver_ = std::make_unique<neighbor::Resolver>(parts.ip.hooks, parts.ip.pool, parts.ip.teller, parts.ip.random,
                                                   host, key, parts.config.neighbor);
}

std::uint8_t Interface::hop_limit(Family family) const {
  return family == Family::V6 && hop_limit_v6_ != 0 ? hop_limit_v6_ : parts_.config.hop_limit;
}

// --- frames in and out ---

void Interface::receive(Packet frame, Instant now) {
  Stats& stats = parts_.ip.hooks.stats();
  ++stats.frames_received;
  stats.bytes_received += frame.size();
  PacketMeta& meta = frame.meta();
  meta.origin = Origin::Received;
  meta.direction = Direction::Inbound;
  meta.interface_index = index_;
  meta.received_at = now;
  if (link_.medium() == Medium::RawIp) return parts_.input.receive(std::move(frame), now);
  const auto what = link::demux(frame, link_.mac());
  if (!what) return parts_.ip.hooks.discard(std::move(frame), what.drop());
  meta.link_broadcast = what->to_group;
  meta.link_header_size = wire::EthernetView::kHeaderSize;
  frame.pull(wire::EthernetView::kHeaderSize);
  if (what->kind == link::FrameKind::Arp) return resolver_->on_arp(std::move(frame), now);
  if (!is_of_its_kind(frame, what->kind)) return parts_.ip.hooks.discard(std::move(frame), Drop::BadVersion);
  parts_.input.receive(std::move(frame), now);
}

void Interface::send(Packet packet, const IpAddress& next_hop, Instant now) {
  packet.meta().interface_index = index_;
  packet.meta().link_header_size = 0;
  if (resolver_ == nullptr) return transmit_frame(std::move(packet));
  const bool is_broadcast = parts_.ip.addresses.kind_of(next_hop, index_) == AddressKind::Broadcast;
  resolver_->send(std::move(packet), next_hop, is_broadcast, now);
}

void Interface::transmit_frame(Packet frame) {
  Stats& stats = parts_.ip.hooks.stats();
  const std::size_t size = frame.size();
  if (!link_.transmit(std::move(frame))) return stats.count(Drop::TransmitQueueFull);
  ++stats.frames_sent;
  stats.bytes_sent += size;
}

void Interface::confirm_reachable(const IpAddress& next_hop, Instant now) {
  if (resolver_ != nullptr) resolver_->confirm_reachable(next_hop, now);
}

// --- addresses ---

ip::RouteEntry Interface::on_link_route(const IpPrefix& prefix) const {
  return {.destination = prefix, .gateway = std::nullopt, .interface_index = index_};
}

bool Interface::add_address(const IpPrefix& prefix, Instant now) {
  const bool detects = resolver_ != nullptr && parts_.config.address_detection != AddressDetection::Off;
  const bool waits = detects && parts_.config.address_detection == AddressDetection::Full;
  const ip::AddressState state = !detects ? ip::AddressState::Preferred
                                 : waits  ? ip::AddressState::Tentative
                                          : ip::AddressState::Optimistic;
  if (!parts_.ip.addresses.add({prefix, index_, state})) return false;
  parts_.ip.routes.add(on_link_route(prefix));
  if (detects) resolver_->detect_duplicates(prefix.address, now);
  const bool is_first_link_local = !prefix.address.is_v4() && prefix.address.is_link_local();
  if (resolver_ != nullptr && is_first_link_local && parts_.config.accept_router_advertisements)
    resolver_->solicit_routers(now);
  return true;
}

void Interface::remove_address(const IpAddress& address) {
  const ip::InterfaceAddress* own = parts_.ip.addresses.find(address, index_);
  if (own == nullptr) return;
  parts_.ip.routes.remove(on_link_route(own->prefix));
  parts_.ip.addresses.remove(index_, address);
  if (resolver_ != nullptr) resolver_->forget_address(address);
}

bool Interface::are_addresses_usable() const {
  return std::ranges::none_of(parts_.ip.addresses.all(), [this](const ip::InterfaceAddress& own) {
    return own.interface_index == index_ && own.state == ip::AddressState::Tentative;
  });
}

OwnAddress Interface::own_address(const IpAddress& address) const {
  const ip::InterfaceAddress* own = parts_.ip.addresses.find(address, index_);
  if (own == nullptr) return OwnAddress::NotOurs;
  switch (own->state) {
    case ip::AddressState::Tentative:
      return OwnAddress::Tentative;
    case ip::AddressState::Optimistic:
      return OwnAddress::Optimistic;
    case ip::AddressState::Preferred:
      return OwnAddress::Preferred;
    case ip::AddressState::Duplicate:
      return OwnAddress::NotOurs;
  }
  return OwnAddress::NotOurs;
}

std::optional<IpAddress> Interface::source_for(const IpAddress& target) const {
  const auto source = parts_.ip.addresses.select_source(target, index_);
  if (!source || parts_.ip.addresses.interface_of(*source) != index_) return std::nullopt;
  return source;
}

void Interface::log(LogLevel level, const std::string& message) const {
  if (parts_.log != nullptr) parts_.log->write(level, "address", name_ + ": " + message);
}

void Interface::address_unique(const IpAddress& address, bool was_duplicate) {
  parts_.ip.addresses.set_state(index_, address, ip::AddressState::Preferred);
  if (was_duplicate)
    log(LogLevel::Warning, "nobody else claims " + address.to_string() + " any more; it is used again.");
}

// Told once; that it is still so after another attempt is no news.
void Interface::address_duplicate(const IpAddress& address, const std::optional<MacAddress>& owner,
                                  const neighbor::DuplicateDetection::Conflict& conflict) {
  parts_.ip.addresses.set_state(index_, address, ip::AddressState::Duplicate);
  if (!conflict.is_first) return;
  const std::string who = owner ? "the host at " + text_of(*owner) : std::string("somebody else");
  const std::string when =
      conflict.retry == Duration{}
          ? " Give the stack another one."
          : " It is looked for again in " + std::to_string(conflict.retry / 1s) +
                " s, then less and less often; if that host is there to stay, give the stack another address.";
  log(LogLevel::Error, who + " has " + address.to_string() + "; it is not used." + when);
}

void Interface::address_retried(const IpAddress& address) {
  parts_.ip.addresses.set_state(index_, address, ip::AddressState::Tentative);
}

// --- neighbour discovery ---

void Interface::send_icmpv6(Packet message, const IpAddress& source, const IpAddress& destination, Instant now) {
  PacketMeta& meta = message.meta();
  meta.family = Family::V6;
  meta.protocol = wire::kProtocolIcmpv6;
  meta.source = source;
  meta.destination = destination;
  const std::size_t size = message.size();
  ip::SendFacts facts;
  facts.source = source;
  facts.destination = destination;
  facts.protocol = wire::kProtocolIcmpv6;
  facts.hop_limit = wire::kNdpHopLimit;
  facts.origin = Origin::Neighbor;
  facts.icmp_type = load_u8(message.head(1), 0);
  facts.transport_header_size = wire::IcmpView::kHeaderSize;
  if (!ip::set_partial_checksum(message) || !ip::finish_checksum(message, 0))
    return parts_.ip.hooks.stats().count(Drop::NoBuffers);
  DCHECK(message.size() == size);
  ip::Route route;
  route.source = source;
  route.next_hop = destination;
  route.interface_index = index_;
  route.mtu = mtu();
  route.on_link = true;
  route.remote_kind = parts_.ip.addresses.kind_of(destination, index_);
  parts_.output.send(std::move(message), facts, route, now);
}

void Interface::drop_default_router() {
  if (!default_router_) return;
  parts_.ip.routes.remove(
      {.destination = {IpAddress::any(Family::V6), 0}, .gateway = default_router_, .interface_index = index_});
  default_router_.reset();
  router_expires_ = kNever;
}

// One router at a time: the first that is heard keeps the place until it says goodbye, is unreachable or expires.
void Interface::router_heard(const IpAddress& router, Duration lifetime, Instant now) {
  if (!parts_.config.accept_router_advertisements) return;
  if (default_router_ && *default_router_ != router) return;
  drop_default_router();
  if (lifetime == Duration{}) return;
  default_router_ = router;
  router_expires_ = now + lifetime;
  parts_.ip.routes.add(
      {.destination = {IpAddress::any(Family::V6), 0}, .gateway = router, .interface_index = index_});
}

void Interface::mtu_heard(std::uint32_t mtu) {
  const bool is_legal = mtu >= ip::PathMtuCache::kMinV6 && mtu <= link_.mtu();
  if (!parts_.config.accept_router_advertisements || !is_legal || mtu == mtu_limit_) return;
  mtu_limit_ = mtu;
  parts_.ip.routes.note_change();
}

void Interface::hop_limit_heard(std::uint8_t hop_limit) {
  if (parts_.config.accept_router_advertisements) hop_limit_v6_ = hop_limit;
}

void Interface::on_timer(Instant now) {
  if (resolver_ == nullptr) return;
  resolver_->on_timer(now);
  if (router_expires_ <= now) drop_default_router();
}

Instant Interface::next_deadline() const {
  return resolver_ == nullptr ? kNever : std::min(resolver_->next_deadline(), router_expires_);
}

void Interface::clear() {
  if (resolver_ != nullptr) resolver_->clear();
}

void LoopbackInterface::send(Packet packet, const IpAddress&, Instant) {
  packet.meta().interface_index = index_;
  if (!queue_.push(packet)) hooks_.discard(std::move(packet), Drop::TransmitQueueFull);
}

}  // namespace stack::core
