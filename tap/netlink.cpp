#include "tap/netlink.hpp"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet6.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/route.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <thread>

namespace tap {
namespace {

using std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPollInterval{2};
constexpr unsigned kLoopbackIndex = 1;

template <class T, void (*put)(T*)>
struct Put {
  void operator()(T* object) const { put(object); }
};
using LinkPtr = std::unique_ptr<rtnl_link, Put<rtnl_link, rtnl_link_put>>;
using AddrPtr = std::unique_ptr<rtnl_addr, Put<rtnl_addr, rtnl_addr_put>>;
using NeighPtr = std::unique_ptr<rtnl_neigh, Put<rtnl_neigh, rtnl_neigh_put>>;
using RoutePtr = std::unique_ptr<rtnl_route, Put<rtnl_route, rtnl_route_put>>;
using AddressPtr = std::unique_ptr<nl_addr, Put<nl_addr, nl_addr_put>>;
using CachePtr = std::unique_ptr<nl_cache, Put<nl_cache, nl_cache_free>>;

int to_errno(int code) {
  switch (code < 0 ? -code : code) {
    case NLE_SUCCESS:
      return 0;
    case NLE_EXIST:
      return EEXIST;
    case NLE_NOMEM:
      return ENOMEM;
    case NLE_PERM:
      return EPERM;
    case NLE_NOACCESS:
      return EACCES;
    case NLE_OBJ_NOTFOUND:
    case NLE_NODEV:
      return ENODEV;
    case NLE_BUSY:
      return EBUSY;
    case NLE_RANGE:
      return ERANGE;
    case NLE_NOADDR:
      return EADDRNOTAVAIL;
    case NLE_OPNOTSUPP:
    case NLE_AF_NOSUPPORT:
      return EOPNOTSUPP;
    case NLE_INVAL:
      return EINVAL;
    default:
      return EIO;
  }
}

// The library's own sentence, because it is finer than the errno value that it is mapped to.
Error netlink_error(int code, std::string action, unsigned ifindex) {
  char name[IF_NAMESIZE] = {};
  if (::if_indextoname(ifindex, name) != nullptr) action += std::string{" ("} + name + ')';
  action += std::string{": "} + nl_geterror(code);
  if (const int value = to_errno(code); value == EPERM || value == EACCES)
    action += " (needs CAP_NET_ADMIN in the user namespace that owns this network namespace)";
  else if (value == EOPNOTSUPP)
    action += " (is IPv6 disabled? see net.ipv6.conf.*.disable_ipv6)";
  return {to_errno(code), std::move(action)};
}

Error out_of_memory(std::string action) { return make_error(ENOMEM, action); }

AddressPtr to_nl(const IpPrefix& prefix) {
  AddressPtr address{nl_addr_build(prefix.is_v6 ? AF_INET6 : AF_INET, prefix.bytes.data(), prefix.address().size())};
  if (address) nl_addr_set_prefixlen(address.get(), prefix.length);
  return address;
}

Error change_link(nl_sock* socket, unsigned ifindex, const char* action, rtnl_link* change) {
  LinkPtr original{rtnl_link_alloc()};
  if (!original || change == nullptr) return out_of_memory(action);
  rtnl_link_set_ifindex(original.get(), static_cast<int>(ifindex));
  const int code = rtnl_link_change(socket, original.get(), change, 0);
  return code == 0 ? Error{} : netlink_error(code, action, ifindex);
}

AddrPtr to_interface_address(unsigned ifindex, const IpPrefix& prefix) {
  AddrPtr addr{rtnl_addr_alloc()};
  const AddressPtr local = to_nl(prefix);
  if (!addr || !local) return nullptr;
  rtnl_addr_set_ifindex(addr.get(), static_cast<int>(ifindex));
  if (rtnl_addr_set_local(addr.get(), local.get()) != 0) return nullptr;
  if (prefix.is_v6) rtnl_addr_set_flags(addr.get(), IFA_F_NODAD);
  return addr;
}

std::string missing_for_use(const Result<LinkState>& link, const Result<std::vector<AddressState>>& addresses) {
  if (!link) return link.error().what;
  if (!addresses) return addresses.error().what;
  if (!link->is_up) return "the link is not up";
  if (!link->is_running) return "the link has no carrier";
  for (const AddressState& address : *addresses)
    if (address.is_tentative) return "address " + to_string(address.prefix) + " is still tentative";
  return {};
}

}  // namespace

void Netlink::SocketDeleter::operator()(nl_sock* socket) const { nl_socket_free(socket); }

Result<Netlink> Netlink::open() {
  Netlink netlink{nl_socket_alloc()};
  if (!netlink.socket_) return out_of_memory("opening a netlink socket");
  if (const int code = nl_connect(netlink.socket_.get(), NETLINK_ROUTE); code != 0)
    return netlink_error(code, "opening a netlink socket", 0);
  return netlink;
}

Error Netlink::set_mtu(unsigned ifindex, std::uint32_t mtu) {
  const LinkPtr change{rtnl_link_alloc()};
  if (change) rtnl_link_set_mtu(change.get(), mtu);
  return change_link(socket_.get(), ifindex, ("setting the MTU to " + std::to_string(mtu)).c_str(), change.get());
}

Error Netlink::set_mac(unsigned ifindex, const MacAddress& mac) {
  const LinkPtr change{rtnl_link_alloc()};
  const AddressPtr address{nl_addr_build(AF_LLC, mac.data(), mac.size())};
  if (!change || !address) return out_of_memory("setting the MAC address");
  rtnl_link_set_addr(change.get(), address.get());
  return change_link(socket_.get(), ifindex, "setting the MAC address", change.get());
}

Error Netlink::set_up(unsigned ifindex, bool up) {
  const LinkPtr change{rtnl_link_alloc()};
  if (change && up) rtnl_link_set_flags(change.get(), IFF_UP);
  if (change && !up) rtnl_link_unset_flags(change.get(), IFF_UP);
  return change_link(socket_.get(), ifindex, up ? "setting the link up" : "setting the link down", change.get());
}

Error Netlink::set_no_automatic_ipv6(unsigned ifindex) {
  const LinkPtr change{rtnl_link_alloc()};
  const char* action = "turning off automatic IPv6 addresses";
  if (!change) return out_of_memory(action);
  constexpr std::uint8_t kModeNone = 1;  // IN6_ADDR_GEN_MODE_NONE
  if (const int code = rtnl_link_inet6_set_addr_gen_mode(change.get(), kModeNone); code != 0)
    return netlink_error(code, action, ifindex);
  return change_link(socket_.get(), ifindex, action, change.get());
}

Error Netlink::add_address(unsigned ifindex, const IpPrefix& prefix) {
  const std::string action = "adding address " + to_string(prefix);
  const AddrPtr addr = to_interface_address(ifindex, prefix);
  if (!addr) return out_of_memory(action);
  const int code = rtnl_addr_add(socket_.get(), addr.get(), 0);
  return code == 0 || code == -NLE_EXIST ? Error{} : netlink_error(code, action, ifindex);
}

Error Netlink::remove_address(unsigned ifindex, const IpPrefix& prefix) {
  const std::string action = "removing address " + to_string(prefix);
  const AddrPtr addr = to_interface_address(ifindex, prefix);
  if (!addr) return out_of_memory(action);
  const int code = rtnl_addr_delete(socket_.get(), addr.get(), 0);
  return code == 0 || code == -NLE_NOADDR ? Error{} : netlink_error(code, action, ifindex);
}

Error Netlink::add_route(unsigned ifindex, const IpPrefix& destination, const IpPrefix& gateway) {
  const std::string action = "adding the route to " + to_string(destination) + " by " + to_string(gateway);
  if (destination.is_v6 != gateway.is_v6) return make_error(EINVAL, action, "both must be of one family");
  const RoutePtr route{rtnl_route_alloc()};
  rtnl_nexthop* hop = rtnl_route_nh_alloc();
  IpPrefix host = gateway;
  host.length = host.is_v6 ? 128 : 32;
  const AddressPtr to = to_nl(destination);
  const AddressPtr by = to_nl(host);
  if (!route || hop == nullptr || !to || !by) {
    if (hop != nullptr) rtnl_route_nh_free(hop);
    return out_of_memory(action);
  }
  rtnl_route_nh_set_ifindex(hop, static_cast<int>(ifindex));
  rtnl_route_nh_set_gateway(hop, by.get());
  rtnl_route_add_nexthop(route.get(), hop);  // takes hop
  rtnl_route_set_family(route.get(), destination.is_v6 ? AF_INET6 : AF_INET);
  rtnl_route_set_table(route.get(), RT_TABLE_MAIN);
  rtnl_route_set_protocol(route.get(), RTPROT_STATIC);
  rtnl_route_set_dst(route.get(), to.get());
  const int code = rtnl_route_add(socket_.get(), route.get(), 0);
  return code == 0 || code == -NLE_EXIST ? Error{} : netlink_error(code, action, ifindex);
}

Error Netlink::add_neighbour(unsigned ifindex, const IpPrefix& address, const MacAddress& mac) {
  const std::string action = "adding the neighbour " + to_string(address);
  const NeighPtr neighbour{rtnl_neigh_alloc()};
  const AddressPtr link_address{nl_addr_build(AF_LLC, mac.data(), mac.size())};
  IpPrefix host = address;
  host.length = host.is_v6 ? 128 : 32;
  const AddressPtr to = to_nl(host);
  if (!neighbour || !link_address || !to) return out_of_memory(action);
  rtnl_neigh_set_ifindex(neighbour.get(), static_cast<int>(ifindex));
  rtnl_neigh_set_dst(neighbour.get(), to.get());
  rtnl_neigh_set_lladdr(neighbour.get(), link_address.get());
  rtnl_neigh_set_state(neighbour.get(), NUD_PERMANENT);
  const int code = rtnl_neigh_add(socket_.get(), neighbour.get(), NLM_F_CREATE | NLM_F_REPLACE);
  return code == 0 ? Error{} : netlink_error(code, action, ifindex);
}

Error Netlink::set_loopback_up() { return set_up(kLoopbackIndex, true); }

Result<LinkState> Netlink::link(unsigned ifindex) {
  rtnl_link* raw = nullptr;
  if (const int code = rtnl_link_get_kernel(socket_.get(), static_cast<int>(ifindex), nullptr, &raw); code != 0)
    return netlink_error(code, "reading the link's state", ifindex);
  const LinkPtr link{raw};
  LinkState state;
  if (const char* name = rtnl_link_get_name(raw); name != nullptr) state.name = name;
  state.mtu = rtnl_link_get_mtu(raw);
  const unsigned flags = rtnl_link_get_flags(raw);
  state.is_up = (flags & IFF_UP) != 0;
  state.is_running = (flags & IFF_RUNNING) != 0;
  const nl_addr* mac = rtnl_link_get_addr(raw);
  if (mac != nullptr && nl_addr_get_len(mac) == state.mac.size())
    std::copy_n(static_cast<const std::uint8_t*>(nl_addr_get_binary_addr(mac)), state.mac.size(), state.mac.begin());
  return state;
}

Result<std::vector<AddressState>> Netlink::addresses(unsigned ifindex) {
  nl_cache* raw = nullptr;
  if (const int code = rtnl_addr_alloc_cache(socket_.get(), &raw); code != 0)
    return netlink_error(code, "reading the addresses", ifindex);
  const CachePtr cache{raw};
  std::vector<AddressState> found;
  for (nl_object* object = nl_cache_get_first(raw); object != nullptr; object = nl_cache_get_next(object)) {
    auto* addr = reinterpret_cast<rtnl_addr*>(object);  // how libnl's caches hand out their typed objects
    const nl_addr* local = rtnl_addr_get_local(addr);
    if (rtnl_addr_get_ifindex(addr) != static_cast<int>(ifindex) || local == nullptr) continue;
    AddressState state;
    state.prefix.is_v6 = rtnl_addr_get_family(addr) == AF_INET6;
    state.prefix.length = static_cast<std::uint8_t>(rtnl_addr_get_prefixlen(addr));
    const std::size_t size = std::min<std::size_t>(nl_addr_get_len(local), state.prefix.bytes.size());
    std::copy_n(static_cast<const std::uint8_t*>(nl_addr_get_binary_addr(local)), size, state.prefix.bytes.begin());
    state.is_tentative = (rtnl_addr_get_flags(addr) & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) != 0;
    found.push_back(state);
  }
  return found;
}

Error Netlink::wait_until_usable(unsigned ifindex, std::chrono::milliseconds timeout) {
  const auto deadline = steady_clock::now() + timeout;
  for (;;) {
    const std::string missing = missing_for_use(link(ifindex), addresses(ifindex));
    if (missing.empty()) return {};
    if (steady_clock::now() >= deadline)
      return make_error(ETIMEDOUT, "waiting for the interface to become usable", missing);
    std::this_thread::sleep_for(kPollInterval);
  }
}

}  // namespace tap
