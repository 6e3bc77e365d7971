#include "stack/ip/address_table.hpp"

#include <algorithm>
#include <bit>

#include "stack/wire/ndp.hpp"

namespace stack::ip {
namespace {

// The IPv4 address whose host bits are all ones, for prefixes that have a broadcast address (RFC 3021: not /31 and
// /32).
bool is_subnet_broadcast(const InterfaceAddress& own, const IpAddress& address) {
  if (!address.is_v4() || !own.prefix.address.is_v4() || own.prefix.length > 30) return false;
  const std::uint32_t host_bits = 0xffff'ffffU >> own.prefix.length;
  return address.v4_host_order() == (own.prefix.address.v4_host_order() | host_bits);
}

unsigned common_prefix_bits(const IpAddress& a, const IpAddress& b) {
  const Bytes x = a.bytes(), y = b.bytes();
  unsigned bits = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto differing = std::to_integer<std::uint8_t>(x[i] ^ y[i]);
    bits += static_cast<unsigned>(std::countl_zero(differing));
    if (differing != 0) break;
  }
  return bits;
}

bool is_link_scope(const IpAddress& address) {
  return address.is_link_local() ||
         (!address.is_v4() && address.is_multicast() && (std::to_integer<unsigned>(address.bytes()[1]) & 0x0f) <= 2);
}

}  // namespace

bool AddressTable::add(const InterfaceAddress& address) {
  if (addresses_.size() >= kMaxAddresses || find(address.prefix.address, address.interface_index) != nullptr)
    return false;
  addresses_.push_back(address);
  ++generation_;
  return true;
}

void AddressTable::remove(InterfaceIndex interface_index, const IpAddress& address) {
  if (std::erase_if(addresses_, [&](const InterfaceAddress& own) {
        return own.interface_index == interface_index && own.prefix.address == address;
      }) > 0)
    ++generation_;
}

bool AddressTable::set_state(InterfaceIndex interface_index, const IpAddress& address, AddressState state) {
  InterfaceAddress* own = find_mutable(address, interface_index);
  if (own == nullptr) return false;
  own->state = state;
  ++generation_;
  return true;
}

bool AddressTable::join(InterfaceIndex interface_index, const IpAddress& group) {
  const Group entry{interface_index, group};
  if (std::ranges::find(groups_, entry) != groups_.end()) return true;
  if (groups_.size() >= kMaxGroups) return false;
  groups_.push_back(entry);
  return true;
}

void AddressTable::leave(InterfaceIndex interface_index, const IpAddress& group) {
  std::erase(groups_, Group{interface_index, group});
}

InterfaceAddress* AddressTable::find_mutable(const IpAddress& address, InterfaceIndex interface_index) {
  const auto at = std::ranges::find_if(addresses_, [&](const InterfaceAddress& own) {
    return own.interface_index == interface_index && own.prefix.address == address;
  });
  return at == addresses_.end() ? nullptr : &*at;
}

const InterfaceAddress* AddressTable::find(const IpAddress& address, InterfaceIndex interface_index) const {
  return const_cast<AddressTable*>(this)->find_mutable(address, interface_index);
}

const InterfaceAddress* AddressTable::find(const IpAddress& address) const {
  for (const InterfaceAddress& own : addresses_)
    if (own.prefix.address == address) return &own;
  return nullptr;
}

bool AddressTable::is_own_unicast(const IpAddress& address) const {
  if (address.is_loopback()) return true;
  return std::ranges::any_of(
      addresses_, [&](const InterfaceAddress& own) { return own.is_usable() && own.prefix.address == address; });
}

bool AddressTable::is_joined(const IpAddress& group, InterfaceIndex interface_index) const {
  if (!group.is_v4()) {
    if (group == wire::all_nodes_group()) return true;
    for (const InterfaceAddress& own : addresses_)  // in every state: duplicate detection listens there
      if (own.interface_index == interface_index && !own.prefix.address.is_v4() &&
          wire::solicited_node_group(own.prefix.address) == group)
        return true;
  } else if (group == IpAddress::v4(0xe000'0001)) {
    return true;  // all systems (RFC 1112)
  }
  return std::ranges::find(groups_, Group{interface_index, group}) != groups_.end();
}

AddressKind AddressTable::kind_of(const IpAddress& address, InterfaceIndex interface_index) const {
  if (address.is_multicast()) return AddressKind::Multicast;
  if (address.is_unspecified()) return AddressKind::Unspecified;
  if (!address.is_v4()) return AddressKind::Unicast;
  if (address.is_broadcast()) return AddressKind::Broadcast;
  for (const InterfaceAddress& own : addresses_)
    if (own.interface_index == interface_index && is_subnet_broadcast(own, address)) return AddressKind::Broadcast;
  return AddressKind::Unicast;
}

bool AddressTable::is_for_us(const IpAddress& address, InterfaceIndex interface_index) const {
  switch (kind_of(address, interface_index)) {
    case AddressKind::Multicast:
      return is_joined(address, interface_index);
    case AddressKind::Broadcast:
      return true;
    case AddressKind::Unspecified:
      return false;
    default:
      return is_own_unicast(address);
  }
}

std::optional<IpAddress> AddressTable::select_source(const IpAddress& destination,
                                                     InterfaceIndex interface_index) const {
  if (destination.is_loopback() || is_own_unicast(destination)) return destination;
  const InterfaceAddress* best = nullptr;
  const auto is_better = [&](const InterfaceAddress& a, const InterfaceAddress& b) {
    const bool a_here = a.interface_index == interface_index, b_here = b.interface_index == interface_index;
    if (a_here != b_here) return a_here;
    const bool link_scope = is_link_scope(destination);
    const bool a_scope = a.prefix.address.is_link_local() == link_scope;
    const bool b_scope = b.prefix.address.is_link_local() == link_scope;
    if (a_scope != b_scope) return a_scope;
    if (a.state != b.state) return a.state == AddressState::Preferred;  // RFC 4429 3.1
    return common_prefix_bits(a.prefix.address, destination) > common_prefix_bits(b.prefix.address, destination);
  };
  for (const InterfaceAddress& own : addresses_) {
    if (!own.is_usable() || own.prefix.address.family() != destination.family()) continue;
    if (own.prefix.address.is_link_local() && own.interface_index != interface_index) continue;
    if (best == nullptr || is_better(own, *best)) best = &own;
  }
  if (best == nullptr) return std::nullopt;
  return best->prefix.address;
}

InterfaceIndex AddressTable::interface_of(const IpAddress& address) const {
  const InterfaceAddress* own = find(address);
  return own == nullptr ? 0 : own->interface_index;
}

}  // namespace stack::ip
