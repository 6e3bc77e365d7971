#include "stack/ip/reassembly.hpp"

#include <algorithm>
#include <array>

#include "stack/ip/fragment_check.hpp"
#include "stack/wire/checksum.hpp"
#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv6.hpp"

namespace stack::ip {
namespace {
constexpr std::size_t kFixedV6 = wire::Ipv6View::kHeaderSize;
}

std::size_t Reassembly::KeyHash::operator()(const Key& value) const {
  std::array<std::byte, 37> bytes{};
  std::ranges::copy(value.source.bytes(), bytes.begin());
  std::ranges::copy(value.destination.bytes(), bytes.begin() + 16);
  store_be32(bytes, 32, value.id);
  store_u8(bytes, 36, value.protocol);
  return static_cast<std::size_t>(siphash(key, bytes));
}

Reassembly::Reassembly(PacketPool& pool, Teller& teller, Hooks& hooks, SipKey key, ReassemblyConfig config,
                       TimeoutHandler on_timeout)
    : pool_(pool),
      keeping_{pool, teller, Use::Fragments},
      hooks_(hooks),
      config_(config),
      on_timeout_(std::move(on_timeout)),
      table_(16, KeyHash{key}) {}

Reassembly::Key Reassembly::key_of(const IpHeader& header) {
  return {header.source, header.destination, header.fragment->id,
          header.family == Family::V4 ? header.protocol : std::uint8_t{0}};
}

std::uint32_t Reassembly::known_size(const IpHeader& header) const {
  const auto found = table_.find(key_of(header));
  if (found != table_.end() && found->second.total != 0) return found->second.total;
  return header.fragment->more ? 0 : header.fragment->offset + header.total_size - header.header_size;
}

Reassembly::Datagram* Reassembly::find_or_make(const Key& key, const IpHeader& header, Instant now) {
  if (const auto found = table_.find(key); found != table_.end()) return &found->second;
  if (table_.size() >= config_.max_datagrams) erase(Key{ages_.front()}, Drop::ReassemblyLimit);
  Datagram& made = table_[key];
  made.expires = now + (header.family == Family::V4 ? config_.timeout_v4 : config_.timeout_v6);
  made.age = ages_.insert(ages_.end(), key);
  return &made;
}

Packet Reassembly::add(Packet fragment, const IpHeader& header, Instant now) {
  const Key key = key_of(header);
  Datagram* datagram = find_or_make(key, header, now);
  auto wrong = insert(*datagram, fragment, header);
  while (wrong == Drop::ReceiveMemory && ages_.front() != key) {
    erase(Key{ages_.front()}, Drop::ReassemblyLimit);
    wrong = insert(*datagram, fragment, header);
  }
  if (wrong) {
    hooks_.discard(std::move(fragment), *wrong);
    if (*wrong == Drop::FragmentOverlap) {
      drop_fragments(*datagram, Drop::FragmentOverlap);
      datagram->poisoned = true;
    } else if (datagram->fragments.empty()) {
      erase(key, *wrong);
    }
    return {};
  }
  if (datagram->total == 0 || datagram->have != datagram->total) {
    while (is_over_limit() && table_.size() > 1) erase(Key{ages_.front()}, Drop::ReassemblyLimit);
    return {};
  }
  auto whole = assemble(*datagram);
  if (!whole) {
    erase(key, whole.drop());
    return {};
  }
  bytes_ -= datagram->have;
  fragments_ -= datagram->fragments.size();
  ages_.erase(datagram->age);
  table_.erase(key);
  return std::move(*whole);
}

std::optional<Drop> Reassembly::insert(Datagram& datagram, Packet& packet, const IpHeader& header) {
  const FragmentHeader& facts = *header.fragment;
  const std::uint32_t size = header.total_size - header.header_size;
  const std::uint32_t end = facts.offset + size;
  if (datagram.poisoned) return Drop::FragmentOverlap;
  if (const auto fault = check_fragment_size(header)) return fault->reason;
  if (datagram.fragments.size() >= config_.max_fragments) return Drop::ReassemblyLimit;
  if (datagram.total != 0 && end > datagram.total) return Drop::FragmentOverlap;

  const auto next = std::ranges::find_if(datagram.fragments,
                                         [&facts](const Fragment& other) { return other.offset >= facts.offset; });
  if (next != datagram.fragments.end()) {
    if (next->offset == facts.offset && next->size == size) return Drop::FragmentDuplicate;
    if (next->offset < end) return Drop::FragmentOverlap;
  }
  if (next != datagram.fragments.begin()) {
    const Fragment& before = *std::prev(next);
    if (before.offset + before.size > facts.offset) return Drop::FragmentOverlap;
  }
  if (!facts.more && next != datagram.fragments.end()) return Drop::FragmentOverlap;  // bytes behind the end
  auto kept = KeptPacket::keep(keeping_, packet, header.header_size);
  if (!kept) return Drop::ReceiveMemory;
  if (!facts.more) datagram.total = end;
  if (facts.offset == 0) datagram.first = header;
  datagram.have += size;
  bytes_ += size;
  ++fragments_;
  datagram.fragments.insert(next, Fragment{facts.offset, size, std::move(kept)});
  return std::nullopt;
}

// The first fragment's header without its fragment fields, then all payloads, copied into one block.
Result<Packet> Reassembly::assemble(Datagram& datagram) {
  const IpHeader& first = datagram.first;
  Packet& head = *datagram.fragments.front().packet;
  const bool is_v4 = first.family == Family::V4;
  const std::uint32_t header_size = is_v4 ? first.header_size : first.fragment->header_offset;
  const std::size_t total = header_size + datagram.total;
  const std::size_t most = is_v4 ? wire::Ipv4View::kMaxTotalLength : kFixedV6 + wire::Ipv6View::kMaxPayloadSize;
  if (total > most) return Drop::FragmentTooLarge;  // the first one's header is longer than the others'
  BufferRef block = make_buffer(kHeadroom + total);
  if (!block) return Drop::NoBuffers;
  const MutableBytes bytes = block.bytes().subspan(kHeadroom, total);
  head.restore(first.header_size);
  head.copy_out(0, bytes.first(header_size));
  head.pull(first.header_size);
  for (const Fragment& fragment : datagram.fragments)
    fragment.packet->copy_out(0, bytes.subspan(header_size + fragment.offset, fragment.size));
  if (is_v4) {
    store_be16(bytes, 2, static_cast<std::uint16_t>(total));
    store_be16(bytes, 6, 0);
    store_be16(bytes, wire::Ipv4View::kChecksumOffset, 0);
    store_be16(bytes, wire::Ipv4View::kChecksumOffset, wire::checksum_of(bytes.first(header_size)));
  } else {
    store_be16(bytes, wire::Ipv6View::kPayloadLengthOffset, static_cast<std::uint16_t>(total - kFixedV6));
    store_u8(bytes, first.fragment->next_header_offset, first.protocol);
  }
  Packet whole = pool_.adopt(std::move(block), kHeadroom, total);
  if (!whole) return Drop::NoBuffers;
  whole.meta() = head.meta();
  whole.meta().reassembled = true;
  return whole;
}

void Reassembly::drop_fragments(Datagram& datagram, Drop reason) {
  for (Fragment& fragment : datagram.fragments) hooks_.discard(fragment.packet.release(), reason);
  bytes_ -= datagram.have;
  fragments_ -= datagram.fragments.size();
  datagram.fragments.clear();
  datagram.have = 0;
}

void Reassembly::erase(const Key& key, Drop reason) {
  const auto found = table_.find(key);
  drop_fragments(found->second, reason);
  ages_.erase(found->second.age);
  table_.erase(found);
}

// Datagrams of both families stand in one list by age; their timeouts differ, so all of it is looked at. It is short.
void Reassembly::expire(Instant now) {
  for (auto at = ages_.begin(); at != ages_.end();) {
    const Key key = *at++;
    Datagram& datagram = table_.find(key)->second;
    if (datagram.expires > now) continue;
    if (!datagram.fragments.empty() && datagram.fragments.front().offset == 0) {
      Packet& first = *datagram.fragments.front().packet;
      first.restore(datagram.first.header_size);
      on_timeout_(first, now);
      first.pull(datagram.first.header_size);
    }
    erase(key, Drop::ReassemblyTimeout);
  }
}

Instant Reassembly::next_deadline() const {
  Instant next = kNever;
  for (const auto& [_, datagram] : table_) next = std::min(next, datagram.expires);
  return next;
}

void Reassembly::clear() {
  while (!ages_.empty()) erase(Key{ages_.front()}, Drop::Shutdown);
}

}  // namespace stack::ip
