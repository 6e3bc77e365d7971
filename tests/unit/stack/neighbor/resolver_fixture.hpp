// What the tests of the resolver share: a host that records, and messages as they arrive. At teardown every packet must
// have come home.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "stack/neighbor/resolver.hpp"
#include "stack/wire/arp.hpp"
#include "stack/wire/ethernet.hpp"
#include "stack/wire/format.hpp"

namespace stack::neighbor::test {

inline IpAddress address(const char* text) { return *IpAddress::parse(text); }
inline Instant at(Duration d) { return Instant{} + d; }
inline MacAddress mac_of(int last) { return {{std::byte{2}, {}, {}, {}, {}, static_cast<std::byte>(last)}}; }
inline std::vector<std::byte> bytes_of(const Packet& packet) {
  std::vector<std::byte> bytes(packet.size());
  packet.copy_out(0, bytes);
  return bytes;
}

class ResolverTest : public ::testing::Test, public ResolverHost {
 protected:
  ResolverTest()
      : hooks(stats), resolver(std::make_unique<Resolver>(hooks, pool, teller, random, *this, SipKey{1, 2}, config)) {
    own[address("10.77.0.2")] = OwnAddress::Preferred;
    own[address("fe80::2")] = OwnAddress::Preferred;
  }
  void TearDown() override {
    resolver.reset();
    frames.clear();
    icmp.clear();
    lost.clear();
    EXPECT_EQ(pool.in_use(), 0u);
    EXPECT_EQ(account->held(), 0u);
  }
  // ResolverHost
  MacAddress mac() const override { return mac_of(2); }
  OwnAddress own_address(const IpAddress& a) const override {
    return own.contains(a) ? own.at(a) : OwnAddress::NotOurs;
  }
  std::optional<IpAddress> source_for(const IpAddress& target) const override {
    return address(target.is_v4() ? "10.77.0.2" : "fe80::2");
  }
  void transmit_frame(Packet frame) override { frames.push_back(bytes_of(frame)); }
  void send_icmpv6(Packet message, const IpAddress& source, const IpAddress& destination, Instant now) override {
    icmp.push_back({bytes_of(message), source, destination, now});
  }
  void unreachable(Packet packet, Instant) override {
    lost.push_back(std::move(packet));
    if (on_lost) on_lost();
  }
  void address_unique(const IpAddress& a, bool before) override {
    unique.push_back(a);
    was_duplicate = before;
  }
  void address_duplicate(const IpAddress& a, const std::optional<MacAddress>&,
                         const DuplicateDetection::Conflict& conflict) override {
    duplicate.push_back(a);
    last_conflict = conflict;
  }
  void address_retried(const IpAddress& a) override { retried.push_back(a); }
  void router_heard(const IpAddress& router, Duration lifetime, Instant) override { routers[router] = lifetime; }
  void mtu_heard(std::uint32_t value) override { mtu = value; }
  void hop_limit_heard(std::uint8_t value) override { hop_limit = value; }

  void send(const char* next_hop, Instant now = at(0s)) {
    resolver->send(pool.allocate(40), address(next_hop), false, now);
  }
  void arp(wire::ArpOperation operation, int from_mac, const char* from, const char* target, Instant now = at(0s)) {
    Packet packet = pool.allocate(28);
    wire::ArpFields{.operation = operation,
                    .sender_mac = mac_of(from_mac),
                    .sender_ip = address(from),
                    .target_mac = {},
                    .target_ip = address(target)}
        .emit(packet.make_private(28));
    resolver->on_arp(std::move(packet), now);
  }
  // A message as it arrives, from `source` to `destination`.
  template <typename Fields>
  void ndp(const Fields& fields, const char* source, const char* destination, Instant now = at(0s),
           std::uint8_t hops = 255) {
    std::vector<std::byte> message(fields.size());
    fields.emit(message);
    PacketMeta meta;
    meta.family = Family::V6;
    meta.source = address(source);
    meta.destination = address(destination);
    meta.hop_limit = hops;
    resolver->on_ndp(message, meta, now);
  }
  wire::NeighborFields solicitation(const char* target, std::optional<MacAddress> from = std::nullopt) {
    wire::NeighborFields fields{.target = address(target)};
    fields.options.source_mac = from;
    return fields;
  }
  wire::NeighborFields advertisement(const char* target, int from, bool solicited = true, bool overrides = true) {
    wire::NeighborFields fields{.type = wire::icmpv6::kNeighborAdvert,
                                .solicited = solicited,
                                .override_entry = overrides,
                                .target = address(target)};
    fields.options.target_mac = mac_of(from);
    return fields;
  }
  std::vector<std::string> take_frames() {
    std::vector<std::string> all;
    for (const auto& frame : frames) all.push_back(wire::format_frame(frame));
    frames.clear();
    return all;
  }

  struct Icmp {
    std::vector<std::byte> bytes;
    IpAddress source, destination;
    Instant now;
  };
  Stats stats;
  Hooks hooks;
  PacketPool pool;
  std::shared_ptr<Account> account = std::make_shared<Account>();
  Teller teller{account};
  SeededRandom random{3};
  ResolverConfig config;
  std::map<IpAddress, OwnAddress> own;
  std::vector<std::vector<std::byte>> frames;
  std::vector<Icmp> icmp;
  std::vector<Packet> lost;
  std::function<void()> on_lost;
  std::vector<IpAddress> unique, duplicate, retried;
  DuplicateDetection::Conflict last_conflict;
  bool was_duplicate = false;
  std::map<IpAddress, Duration> routers;
  std::uint32_t mtu = 0;
  std::uint8_t hop_limit = 0;
  std::unique_ptr<Resolver> resolver;
};

}  // namespace stack::neighbor::test
