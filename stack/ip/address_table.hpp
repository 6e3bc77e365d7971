// The addresses of this host, by interface, and what follows from them: is a packet for us, what kind of address is
// that, which source does a packet get. Also the groups that are listened to. One for a stack; used on its thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "stack/base/address.hpp"
#include "stack/hooks/hook.hpp"

namespace stack::ip {

// RFC 4862 5.4, RFC 4429; the same words for IPv4 (RFC 5227).
enum class AddressState : std::uint8_t {
  Tentative,   // being probed: neither source nor destination
  Optimistic,  // being probed, but used, with care about what neighbours learn from it
  Preferred,
  Duplicate,  // somebody else has it: not used
};

struct InterfaceAddress {
  IpPrefix prefix;  // the address itself and the length of its on-link prefix
  InterfaceIndex interface_index = 0;
  AddressState state = AddressState::Preferred;

  bool is_usable() const { return state == AddressState::Preferred || state == AddressState::Optimistic; }
};

class AddressTable {
 public:
  static constexpr std::size_t kMaxAddresses = 64;
  static constexpr std::size_t kMaxGroups = 256;

  // False: full, or the interface has it already.
  bool add(const InterfaceAddress& address);
  void remove(InterfaceIndex interface_index, const IpAddress& address);
  bool set_state(InterfaceIndex interface_index, const IpAddress& address, AddressState state);
  // Groups beside those that addresses imply (all nodes, solicited node). False: full.
  bool join(InterfaceIndex interface_index, const IpAddress& group);
  void leave(InterfaceIndex interface_index, const IpAddress& group);

  std::span<const InterfaceAddress> all() const { return addresses_; }
  const InterfaceAddress* find(const IpAddress& address) const;  // on any interface, in any state
  const InterfaceAddress* find(const IpAddress& address, InterfaceIndex interface_index) const;
  // The strong host model is not asked for: an address of another interface is ours, too (RFC 1122 3.3.4.2, weak).
  bool is_own_unicast(const IpAddress& address) const;
  // What `address` is when seen on that interface; Unicast for every address that is nothing else.
  AddressKind kind_of(const IpAddress& address, InterfaceIndex interface_index) const;
  // A packet to `address` that comes in on that interface is for this host.
  bool is_for_us(const IpAddress& address, InterfaceIndex interface_index) const;
  // RFC 6724's rules as far as a host of this size has choices: same address, scope, not under detection, outgoing
  // interface, longest prefix. Addresses of other interfaces only when the interface has none. Loopback destinations
  // are their own source.
  std::optional<IpAddress> select_source(const IpAddress& destination, InterfaceIndex interface_index) const;
  InterfaceIndex interface_of(const IpAddress& address) const;  // 0: not ours

  std::uint32_t generation() const { return generation_; }  // counts changes

 private:
  struct Group {
    InterfaceIndex interface_index;
    IpAddress address;
    bool operator==(const Group&) const = default;
  };
  InterfaceAddress* find_mutable(const IpAddress& address, InterfaceIndex interface_index);
  bool is_joined(const IpAddress& group, InterfaceIndex interface_index) const;

  std::vector<InterfaceAddress> addresses_;
  std::vector<Group> groups_;
  std::uint32_t generation_ = 0;
};

}  // namespace stack::ip
