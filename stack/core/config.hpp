// Everything about a stack that can be set, each with its one default. Plain data.
#pragma once

#include <memory>

#include "stack/base/account.hpp"
#include "stack/ip/icmp.hpp"
#include "stack/ip/reassembly.hpp"
#include "stack/link/loopback.hpp"
#include "stack/neighbor/resolver.hpp"
#include "stack/tcp/config.hpp"
#include "stack/udp/udp.hpp"

namespace stack::core {

// How new addresses of Ethernet interfaces are checked for a second owner.
enum class AddressDetection : std::uint8_t {
  Off,
  Optimistic,  // used at once and given up when somebody else has it (RFC 4429; for IPv4 with RFC 5227's messages)
  Full,        // not used before it is found unique
};

struct Config {
  // --- interfaces ---
  AddressDetection address_detection = AddressDetection::Optimistic;
  bool link_local_address = true;            // fe80::/64 from the MAC of an Ethernet interface
  bool accept_router_advertisements = true;  // default router, MTU, hop limit; prefixes are ignored
  std::uint8_t hop_limit = 64;
  bool loopback_offload = true;  // the loopback leaves checksums unmade and large sends whole, as a card would
  neighbor::ResolverConfig neighbor{};

  // --- IP ---
  ip::ReassemblyConfig reassembly{};
  std::uint32_t icmp_errors_per_second = 1000;  // RFC 1812 4.3.2.8, RFC 4443 2.4 (f)
  std::uint32_t icmp_error_burst = 50;
  ip::IcmpConfig icmp{};

  // --- transports ---
  udp::UdpConfig udp{};
  tcp::TcpConfig tcp{};
  std::size_t endpoint_limit = 80'000;  // of all transports

  // --- outsiders ---
  std::size_t injection_queue_limit = 16'384;
  std::uint8_t injection_hop_limit = 16;                 // times that a packet and its clones may be injected
  std::size_t packet_limit = PacketPool::kDefaultLimit;  // under way, beyond those that wait
  std::size_t receive_memory = Account::kDefaultLimit;   // bytes that what was received may hold, over everything

  // --- a round of work ---
  std::size_t tasks_per_poll = 4096;
  std::size_t packets_per_poll = 1024;  // from the loopback and the injection queue, each

  // Who the stack itself is, towards hooks (its ICMP endpoints). Null: an owner without any identity.
  std::shared_ptr<const Owner> system_owner{};
};

}  // namespace stack::core
