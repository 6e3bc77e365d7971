// The kernel's side of the device: its MTU, MAC, addresses, routes and neighbours, set and read through rtnetlink.
// Works in the network namespace in which open() was called. One thread at a time. Every call is one bounded exchange
// with the kernel; adding what exists already is no error. Errors name what was attempted on which interface.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tap/address.hpp"
#include "tap/error.hpp"

struct nl_sock;

namespace tap {

struct LinkState {
  std::string name;
  MacAddress mac{};
  std::uint32_t mtu = 0;
  bool is_up = false;       // set so by its administrator
  bool is_running = false;  // and has a carrier
};

struct AddressState {
  IpPrefix prefix;
  bool is_tentative = false;  // duplicate address detection is under way, or has failed
};

class Netlink {
 public:
  static Result<Netlink> open();

  Error set_mtu(unsigned ifindex, std::uint32_t mtu);
  Error set_mac(unsigned ifindex, const MacAddress& mac);
  Error set_up(unsigned ifindex, bool up);
  // No link-local address of the kernel's own making, hence neither duplicate detection nor router solicitations from
  // it. Before the link is set up.
  Error set_no_automatic_ipv6(unsigned ifindex);

  // Usable at once: without duplicate address detection, so that whoever starts next can already bind to it.
  Error add_address(unsigned ifindex, const IpPrefix& prefix);
  Error remove_address(unsigned ifindex, const IpPrefix& prefix);
  // The route to `destination` (length 0: the default route) by way of `gateway`, which must be on link.
  Error add_route(unsigned ifindex, const IpPrefix& destination, const IpPrefix& gateway);
  // A permanent entry: the kernel sends to `address` without ever asking for its MAC, until the link goes down, when
  // the kernel forgets all neighbours (and all IPv6 addresses).
  Error add_neighbour(unsigned ifindex, const IpPrefix& address, const MacAddress& mac);

  Error set_loopback_up();

  Result<LinkState> link(unsigned ifindex);
  Result<std::vector<AddressState>> addresses(unsigned ifindex);
  // Returns once the link is up and running and none of its addresses is tentative; ETIMEDOUT says what was missing.
  Error wait_until_usable(unsigned ifindex, std::chrono::milliseconds timeout);

 private:
  struct SocketDeleter {
    void operator()(nl_sock* socket) const;
  };
  explicit Netlink(nl_sock* socket) : socket_(socket) {}

  std::unique_ptr<nl_sock, SocketDeleter> socket_;
};

}  // namespace tap
