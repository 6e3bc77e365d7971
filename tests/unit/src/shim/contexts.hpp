// Packets and operations as the stack would tell of them, made by hand.
#pragma once

#include "src/shim/facts.hpp"
#include "stack/base/address.hpp"
#include "stack/hooks/authorizer.hpp"

namespace shim::test {

inline constexpr std::uint8_t kTcp = 6, kUdp = 17, kIcmp = 1;

inline stack::Owner http_owner() {
  stack::Owner owner;
  owner.process_id = 4711;
  owner.process_path = u"\\device\\harddiskvolume1\\wfptap\\http";
  owner.user_sid = "S-1-5-18";
  owner.package_sid = "S-1-15-2-7";
  owner.token = 0x1234;
  return owner;
}

inline stack::PacketContext context(stack::Hook hook, stack::Family family = stack::Family::V4) {
  stack::PacketContext c;
  c.hook = hook;
  c.direction = hook == stack::Hook::IpOut || hook == stack::Hook::TransportOut ? stack::Direction::Outbound
                                                                                : stack::Direction::Inbound;
  c.family = family;
  c.protocol = kTcp;
  c.local = *stack::IpAddress::parse(family == stack::Family::V4 ? "10.77.0.2" : "fd77::2");
  c.remote = *stack::IpAddress::parse(family == stack::Family::V4 ? "10.77.0.1" : "fd77::1");
  c.local_kind = stack::AddressKind::Unicast;
  c.remote_kind = stack::AddressKind::Unicast;
  c.local_port = 80;
  c.remote_port = 40000;
  c.ip_header_size = family == stack::Family::V4 ? 20 : 40;
  c.transport_header_size = 20;
  c.interface_index = 2;
  c.local_interface_index = 2;
  return c;
}

inline stack::EndpointFacts live(const stack::Owner& owner) {
  stack::EndpointFacts facts;
  facts.match = stack::EndpointMatch::Live;
  facts.endpoint = stack::EndpointId::make(0, 7, 3);
  facts.flow = 0x55;
  facts.owner = &owner;
  return facts;
}

inline stack::Operation operation(const stack::Owner& owner, stack::Direction direction,
                                  stack::Family family = stack::Family::V4) {
  const auto c = context(stack::Hook::TransportIn, family);
  stack::Operation o;
  o.family = family;
  o.protocol = kTcp;
  o.local = {c.local, 80};
  o.remote = {c.remote, 40000};
  o.direction = direction;
  o.ip_header_size = c.ip_header_size;
  o.transport_header_size = 20;
  o.interface_index = 2;
  o.local_interface_index = 2;
  o.endpoint = live(owner);
  o.endpoint.flow = 0;
  return o;
}

}  // namespace shim::test
