// The interfaces of a stack: a network interface card with its neighbours, and the loopback. They join a Link, the
// resolver and IP; what a frame means is decided in stack/link, who gets it in stack/ip.
#pragma once

#include <memory>
#include <string>

#include "stack/base/log.hpp"
#include "stack/ip/input.hpp"
#include "stack/ip/ip_interface.hpp"
#include "stack/link/link.hpp"
#include "stack/link/loopback.hpp"
#include "stack/neighbor/resolver.hpp"

namespace stack::core {

struct Config;

// What an interface works with; belongs to the stack.
struct InterfaceParts {
  const ip::IpParts& ip;
  ip::Output& output;
  ip::Input& input;
  const Config& config;
  LogSink* log;  // may be null
};

class Interface final : public ip::IpInterface, private neighbor::ResolverHost {
 public:
  // `link` outlives the interface.
  Interface(InterfaceIndex index, std::string name, Link& link, const InterfaceParts& parts, SipKey key);

  InterfaceIndex index() const override { return index_; }
  bool is_loopback() const override { return false; }
  std::uint32_t mtu() const override { return mtu_limit_ == 0 ? link_.mtu() : std::min(link_.mtu(), mtu_limit_); }
  LinkCapabilities capabilities() const override { return link_.capabilities(); }
  std::uint8_t hop_limit(Family family) const override;
  void send(Packet packet, const IpAddress& next_hop, Instant now) override;
  void confirm_reachable(const IpAddress& next_hop, Instant now) override;

  // A frame from the link; data at the Ethernet header, or for raw IP at the IP header.
  void receive(Packet frame, Instant now);
  bool add_address(const IpPrefix& prefix, Instant now);  // false: no room, or there already
  void remove_address(const IpAddress& address);
  bool are_addresses_usable() const;  // none is tentative

  void on_timer(Instant now);
  Instant next_deadline() const;
  void flush() { link_.flush(); }
  void clear();
  const std::string& name() const { return name_; }
  Medium medium() const { return link_.medium(); }
  neighbor::Resolver* resolver() { return resolver_.get(); }  // null for raw IP

 private:
  // neighbor::ResolverHost
  MacAddress mac() const override { return link_.mac(); }
  neighbor::OwnAddress own_address(const IpAddress& address) const override;
  std::optional<IpAddress> source_for(const IpAddress& target) const override;
  void transmit_frame(Packet frame) override;
  void send_icmpv6(Packet message, const IpAddress& source, const IpAddress& destination, Instant now) override;
  void unreachable(Packet packet, Instant now) override { parts_.output.on_unreachable(std::move(packet), now); }
  void address_unique(const IpAddress& address, bool was_duplicate) override;
  void address_duplicate(const IpAddress& address, const std::optional<MacAddress>& owner,
                         const neighbor::DuplicateDetection::Conflict& conflict) override;
  void address_retried(const IpAddress& address) override;
  void log(LogLevel level, const std::string& message) const;
  void router_heard(const IpAddress& router, Duration lifetime, Instant now) override;
  void mtu_heard(std::uint32_t mtu) override;
  void hop_limit_heard(std::uint8_t hop_limit) override;

  ip::RouteEntry on_link_route(const IpPrefix& prefix) const;
  void drop_default_router();

  InterfaceIndex index_;
  std::string name_;
  Link& link_;
  InterfaceParts parts_;
  std::unique_ptr<neighbor::Resolver> resolver_;
  std::uint32_t mtu_limit_ = 0;  // from a router advertisement, IPv6's minimum at least
  std::uint8_t hop_limit_v6_ = 0;
  std::optional<IpAddress> default_router_;
  Instant router_expires_ = kNever;
};

class LoopbackInterface final : public ip::IpInterface {
 public:
  LoopbackInterface(InterfaceIndex index, Hooks& hooks, bool offload)
      : index_(index), hooks_(hooks), offload_(offload) {}

  InterfaceIndex index() const override { return index_; }
  bool is_loopback() const override { return true; }
  std::uint32_t mtu() const override { return link::Loopback::kMtu; }
  LinkCapabilities capabilities() const override {
    return {.checksum = offload_, .tso4 = offload_, .tso6 = offload_};
  }
  std::uint8_t hop_limit(Family) const override { return 64; }
  void send(Packet packet, const IpAddress&, Instant) override;
  void confirm_reachable(const IpAddress&, Instant) override {}
  link::Loopback& queue() { return queue_; }

 private:
  InterfaceIndex index_;
  Hooks& hooks_;
  bool offload_;
  link::Loopback queue_;
};

}  // namespace stack::core
