// What the tests of ip, udp and core share: an IP layer over interfaces that record, hooks that record and decide,
// and packets made by hand. At teardown every packet must have come home.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "stack/base/rng.hpp"
#include "stack/ip/icmp.hpp"
#include "stack/ip/icmp_reply.hpp"
#include "stack/ip/input.hpp"
#include "stack/ip/output.hpp"
#include "stack/ip/transport_checksum.hpp"
#include "stack/wire/checksum.hpp"
#include "stack/wire/format.hpp"
#include "stack/wire/icmpv4.hpp"
#include "stack/wire/icmpv6.hpp"
#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv6.hpp"
#include "stack/wire/tcp.hpp"
#include "stack/wire/udp.hpp"

namespace stack::test {

using ByteVector = std::vector<std::byte>;

inline IpAddress address(const char* text) { return *IpAddress::parse(text); }
inline Instant at(Duration d) { return Instant{} + d; }

inline ByteVector bytes_of(const Packet& packet) {
  ByteVector bytes(packet.size());
  packet.copy_out(0, bytes);
  return bytes;
}

inline Packet packet_of(PacketPool& pool, Bytes bytes) {
  const BufferRef block = make_buffer(kHeadroom + bytes.size());
  std::copy(bytes.begin(), bytes.end(), block.bytes().begin() + kHeadroom);
  return pool.adopt(block, kHeadroom, bytes.size());
}

// An IP datagram with a finished transport checksum. `transport` begins with the transport header.
inline ByteVector make_ip(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                          ByteVector transport, std::uint8_t hop_limit = 64) {
  const std::size_t header = source.is_v4() ? 20 : 40;
  ByteVector bytes(header);
  if (source.is_v4())
    wire::Ipv4Fields{.payload_size = transport.size(),
                     .hop_limit = hop_limit,
                     .protocol = protocol,
                     .source = source,
                     .destination = destination}
        .emit(bytes);
  else
    wire::Ipv6Fields{.payload_size = transport.size(),
                     .next_header = protocol,
                     .hop_limit = hop_limit,
                     .source = source,
                     .destination = destination}
        .emit(bytes);
  if (const std::size_t at = ip::checksum_offset(protocol); at != 0 && at + 2 <= transport.size()) {
    wire::Checksum sum;
    if (protocol != 1)
      sum = wire::pseudo_header(source, destination, protocol, static_cast<std::uint32_t>(transport.size()));
    store_be16(transport, at, 0);
    sum.add(transport);
    store_be16(transport, at, sum.finish());
  }
  bytes.insert(bytes.end(), transport.begin(), transport.end());
  return bytes;
}

inline ByteVector make_udp(std::uint16_t from, std::uint16_t to, std::size_t payload,
                           std::byte fill = std::byte{'x'}) {
  ByteVector bytes(8 + payload, fill);
  wire::UdpFields{.src_port = from, .dst_port = to, .payload_size = payload}.emit(bytes);
  return bytes;
}

inline ByteVector make_icmp(std::uint8_t type, std::uint8_t code, std::uint32_t rest, Bytes body = {}) {
  ByteVector bytes(8);
  wire::IcmpFields{.type = type, .code = code, .rest = rest}.emit(bytes);
  bytes.insert(bytes.end(), body.begin(), body.end());
  return bytes;
}

// An interface that keeps what is sent through it.
class FakeInterface final : public ip::IpInterface {
 public:
  FakeInterface(InterfaceIndex index, bool loopback) : index_(index), loopback_(loopback) {}
  InterfaceIndex index() const override { return index_; }
  bool is_loopback() const override { return loopback_; }
  std::uint32_t mtu() const override { return mtu_bytes; }
  LinkCapabilities capabilities() const override { return offload; }
  std::uint8_t hop_limit(Family) const override { return 64; }
  void send(Packet packet, const IpAddress& next_hop, Instant) override {
    next_hops.push_back(next_hop);
    sent.push_back(std::move(packet));
  }
  void confirm_reachable(const IpAddress& next_hop, Instant) override { confirmed.push_back(next_hop); }

  std::uint32_t mtu_bytes = 1500;
  LinkCapabilities offload;
  std::vector<Packet> sent;
  std::vector<IpAddress> next_hops, confirmed;

 private:
  InterfaceIndex index_;
  bool loopback_;
};

// Sees every hook and discard; may keep packets and veto answers.
class RecordingHooks final : public Inspector, public DiscardObserver {
 public:
  struct Seen {
    PacketContext context;
    ByteVector bytes;
    bool partial = false;            // its checksum
    std::uint32_t segment_size = 0;  // of a large send
  };
  std::optional<Packet> inspect(Packet packet, const PacketContext& context) override {
    seen.push_back(
        {context, bytes_of(packet), packet.checksum().transport_partial, packet.large_send().segment_size});
    if (block && block(context)) return std::nullopt;
    return packet;
  }
  bool discarded(const Packet& packet, Drop reason, const PacketContext& context) override {
    discards.push_back({reason, context, bytes_of(packet)});
    return !silence;
  }
  void discarded_early(const Packet&, Drop reason) override { early.push_back(reason); }

  struct Discarded {
    Drop reason;
    PacketContext context;
    ByteVector bytes;
  };
  std::vector<Seen> seen;
  std::vector<Discarded> discards;
  std::vector<Drop> early;
  std::function<bool(const PacketContext&)> block;
  bool silence = false;
};

// Answers as told and remembers what it was asked.
class ScriptedAuthorizer final : public Authorizer {
 public:
  Authorization bind(const Operation& operation) override { return ask("bind", operation, bind_answer); }
  Authorization listen(const Operation& operation) override { return ask("listen", operation, Decision::Allow); }
  Authorization connect(const Operation& operation, Packet* packet) override {
    return ask_with("connect", operation, packet, connect_answer);
  }
  Authorization accept(const Operation& operation, Packet& packet) override {
    return ask_with("accept", operation, &packet, accept_answer);
  }
  bool established(const Operation& operation, Packet*) override {
    asked.push_back({"established", operation});
    return establish;
  }
  void flow_ended(FlowTag flow) override { ended.push_back(flow); }
  void endpoint_closed(EndpointId endpoint) override { closed.push_back(endpoint); }

  struct Asked {
    std::string what;
    Operation operation;
    bool partial = false;  // the packet's checksum
  };
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const Asked& entry : asked) all.push_back(entry.what);
    return all;
  }
  std::vector<Asked> asked;
  std::vector<FlowTag> ended;
  std::vector<EndpointId> closed;
  Decision bind_answer = Decision::Allow, connect_answer = Decision::Allow, accept_answer = Decision::Allow;
  bool establish = true;
  Packet kept;  // of the last Later, as a driver's clone would be

 private:
  Authorization ask(const char* what, const Operation& operation, Decision decision) {
    asked.push_back({what, operation});
    return {decision, decision == Decision::Later ? Ticket{77} : Ticket{0}, FlowTag{0}};
  }
  Authorization ask_with(const char* what, const Operation& operation, Packet* packet, Decision decision) {
    asked.push_back({what, operation, packet != nullptr && packet->checksum().transport_partial});
    if (decision == Decision::Later) kept = std::move(*packet);
    if (decision == Decision::Deny) packet->reset();
    return {decision, decision == Decision::Later ? Ticket{77} : Ticket{0},
            decision == Decision::Allow ? ++flows_ : FlowTag{0}};
  }
  FlowTag flows_ = 100;
};

class QueueExecutor final : public Executor {
 public:
  void post(std::function<void()> task) override { tasks.push_back(std::move(task)); }
  bool is_own_thread() const override { return true; }
  void run() {
    while (!tasks.empty()) {
      const auto task = std::move(tasks.front());
      tasks.pop_front();
      task();
    }
  }
  std::deque<std::function<void()>> tasks;
};

class RecordingSink final : public ip::TransportSink {
 public:
  void receive(Packet packet, Instant) override { received.push_back(std::move(packet)); }
  bool may_have_sent(const ip::PathEvent&) const override { return believes; }
  void path_event(const ip::PathEvent& event, Instant) override {
    events.push_back(event);
    quoted.emplace_back(event.transport_header.begin(), event.transport_header.end());
    events.back().transport_header = {};
  }
  std::vector<Packet> received;
  std::vector<ip::PathEvent> events;
  std::vector<ByteVector> quoted;
  bool believes = true;
};

// 10.77.0.2/24 and fd77::2/64 on interface 2; the peer is .1 and ::1. A TCP sink that records.
class IpFixture : public ::testing::Test, private ip::NdpReceiver {
 protected:
  IpFixture()
      : hooks(stats),
        path_mtus(SipKey{1, 2}),
        parts{hooks, pool, random, executor, interfaces, addresses, routes, path_mtus, transports, teller},
        output(parts),
        icmp_reply(parts, output, 1000, 50),
        input(parts, icmp_reply, SipKey{3, 4}, ip::ReassemblyConfig{}),
        icmp(parts, output, endpoints, path_mtus, *this, std::make_shared<const Owner>(), SipKey{5, 6}, {}) {
    interfaces.add(loopback);
    interfaces.add(card);
    add_address("10.77.0.2/24");
    add_address("fd77::2/64");
    addresses.add({*IpPrefix::parse("fe80::2/64"), 2, ip::AddressState::Preferred});
    routes.add({*IpPrefix::parse("0.0.0.0/0"), address("10.77.0.254"), 2});
    routes.add({*IpPrefix::parse("::/0"), address("fd77::fe"), 2});
    transports.set(wire::kProtocolTcp, &tcp);
    transports.set(wire::kProtocolIcmp, &icmp);
    transports.set(wire::kProtocolIcmpv6, &icmp);
  }
  void TearDown() override {
    input.clear();
    executor.tasks.clear();
    card.sent.clear();
    loopback.sent.clear();
    tcp.received.clear();
    authorizer.kept.reset();
    EXPECT_EQ(pool.in_use(), 0u);
  }
  void add_address(const char* text) {
    const IpPrefix prefix = *IpPrefix::parse(text);
    addresses.add({prefix, 2, ip::AddressState::Preferred});
    routes.add({prefix, std::nullopt, 2});
  }
  void arm_all() {
    hooks.set_inspector(&recorder);
    hooks.set_discard_observer(&recorder);
    for (std::size_t i = 0; i < kHookCount; ++i)
      for (Family family : {Family::V4, Family::V6}) hooks.arm(static_cast<Hook>(i), family, true);
  }
  void receive(const ByteVector& bytes, Instant now = at(1s)) {
    Packet packet = packet_of(pool, bytes);
    packet.meta().interface_index = 2;
    packet.meta().origin = Origin::Received;
    input.receive(std::move(packet), now);
  }
  // What left, as text; and forgotten.
  std::vector<std::string> take_sent() {
    std::vector<std::string> all;
    for (const Packet& packet : card.sent) all.push_back(wire::format_ip(bytes_of(packet)));
    card.sent.clear();
    return all;
  }
  std::vector<Hook> hooks_seen() const {
    std::vector<Hook> all;
    for (const auto& seen : recorder.seen) all.push_back(seen.context.hook);
    return all;
  }
  void on_ndp(Bytes message, const PacketMeta&, Instant) override {
    ndp.emplace_back(message.begin(), message.end());
  }

  Stats stats;
  Hooks hooks;
  PacketPool pool;
  std::shared_ptr<Account> account = std::make_shared<Account>();
  Teller teller{account};
  SeededRandom random{7};
  QueueExecutor executor;
  ip::EndpointTable endpoints{100};
  FakeInterface loopback{1, true}, card{2, false};
  ip::InterfaceTable interfaces;
  ip::AddressTable addresses;
  ip::RouteTable routes;
  ip::PathMtuCache path_mtus;
  ip::TransportTable transports;
  ip::IpParts parts;
  ip::Output output;
  ip::IcmpReply icmp_reply;
  ip::Input input;
  RecordingHooks recorder;
  ScriptedAuthorizer authorizer;
  ip::Icmp icmp;
  RecordingSink tcp;
  std::vector<ByteVector> ndp;
};

}  // namespace stack::test
