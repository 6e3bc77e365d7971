// A conversation with one TCP module, in the protocol's words and at stated times: the module on a sender that
// records, a peer that the test plays. Sequence numbers of both sides count from the SYN: the first byte of data
// is 1.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "stack/ip/transport_checksum.hpp"
#include "stack/tcp/tcp.hpp"

namespace stack::tcp::test {

using ByteVector = std::vector<std::byte>;

inline ByteVector pattern(std::size_t size, std::size_t from = 0) {
  ByteVector bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>((from + i) * 131 >> 3 ^ (from + i));
  return bytes;
}

// Of an account that no test of something else reaches.
inline std::shared_ptr<Teller> unlimited() {
  return std::make_shared<Teller>(std::make_shared<Account>(std::size_t{1} << 40));
}

// A segment that left.
struct Sent {
  Seq seq{}, ack{};
  std::uint8_t flags = 0;
  std::uint32_t window = 0;
  wire::TcpOptions options;
  ByteVector payload;
  std::uint32_t segment_size = 0;
  std::uint16_t local_port = 0, remote_port = 0;
  ip::SendFacts facts;
  Instant at;
  bool has(std::uint8_t bits) const { return (flags & bits) == bits; }
};

class RecordingSender final : public ip::IpSender {
 public:
  Result<ip::Route> route(const IpAddress& remote, const std::optional<IpAddress>& source) override {
    if (!has_route) return Drop::NoRoute;
    ip::Route route;
    route.source = source ? *source : remote.is_v4() ? *IpAddress::parse("10.0.0.2") : *IpAddress::parse("fd00::2");
    route.next_hop = remote;
    route.interface_index = 1;
    route.mtu = mtu;
    route.large_send_max = large_send_max;
    return route;
  }
  std::uint32_t route_generation() const override { return generation; }
  void send(Packet packet, const ip::SendFacts& facts, const ip::Route&, Instant now) override {
    if (!records) return;
    const std::uint32_t large = packet.large_send().segment_size;
    ASSERT_TRUE(ip::finish_checksum(packet, 0));
    ASSERT_TRUE(ip::is_transport_checksum_valid(packet));
    const auto view = wire::TcpView::parse(packet.head(std::min(packet.size(), wire::TcpView::kMaxHeaderSize)));
    ASSERT_TRUE(view);
    Sent sent;
    sent.seq = view->seq();
    sent.ack = view->ack_number();
    sent.flags = view->flags();
    sent.window = view->window();
    sent.options = view->options();
    EXPECT_FALSE(sent.options.malformed);
    sent.segment_size = large;
    sent.local_port = view->src_port();
    sent.remote_port = view->dst_port();
    sent.facts = facts;
    sent.at = now;
    EXPECT_EQ(facts.tcp_flags, sent.flags);
    EXPECT_EQ(facts.transport_header_size, view->header_size());
    sent.payload.resize(packet.size() - view->header_size());
    packet.copy_out(view->header_size(), sent.payload);
    segments.push_back(std::move(sent));
    if (keep) kept.push_back(std::move(packet));
  }
  void confirm_reachable(const ip::Route&, Instant) override { ++confirmations; }

  std::deque<Sent> segments;
  std::vector<Packet> kept;
  bool records = true;
  bool keep = false;
  bool has_route = true;
  std::uint32_t mtu = 1500, large_send_max = 0, generation = 1;
  int confirmations = 0;
};

struct RecordingObserver final : Endpoint::Observer {
  void on_connected() override { ++connected; }
  void on_readable() override { ++readable; }
  void on_writable() override { ++writable; }
  void on_failed(Error e) override {
    ++failed;
    error = e;
  }
  int connected = 0, readable = 0, writable = 0, failed = 0;
  Error error = Error::None;
};

// What the peer sends; numbers relative as above. `ack` is sent with the ACK flag unless flags say otherwise.
struct In {
  std::uint32_t seq = 1;
  std::uint32_t ack = 1;
  std::uint8_t flags = flag::kAck;
  std::uint32_t window = 65'535;
  ByteVector payload{};
  wire::TcpOptions options{};
  bool is_raw_timestamp = false;  // do not add the connection's timestamps
  std::uint16_t segment_count = 1;
};

inline In syn(std::uint32_t seq = 0) { return {.seq = seq, .flags = flag::kSyn}; }
inline In rst(std::uint32_t seq) { return {.seq = seq, .flags = flag::kRst}; }
inline In ack(std::uint32_t number) { return {.ack = number}; }
inline In fin(std::uint32_t seq, std::uint32_t number = 1) {
  return {.seq = seq, .ack = number, .flags = flag::kFin | flag::kAck};
}
inline In data(std::uint32_t seq, std::size_t size, std::uint32_t number = 1) {
  return {.seq = seq, .ack = number, .payload = pattern(size, seq - 1)};
}

// Where each segment begins, counted from `iss`.
inline std::vector<std::uint32_t> begins(const std::vector<Sent>& all, Seq iss) {
  std::vector<std::uint32_t> list;
  for (const Sent& s : all) list.push_back(s.seq - iss);
  return list;
}

class TcpScript : public ::testing::Test {
 protected:
  struct Setup {
    std::uint32_t mss = 1000;
    std::uint32_t window = 65'535;
    bool sack = false;
    std::optional<std::uint32_t> timestamp{};  // the peer's value; set: timestamps in use
    std::optional<std::uint8_t> window_scale{};
  };

  TcpScript() {
    config.congestion = CongestionAlgorithm::NewReno;  // simple numbers
    addresses.add({{*IpAddress::parse("10.0.0.2"), 24}, 1});
    addresses.add({{*IpAddress::parse("fd00::2"), 64}, 1});
    hooks.set_authorizer(nullptr);
  }
  void TearDown() override {
    endpoint.reset();
    listener.reset();
    sender.kept.clear();
    tcp.reset();
    EXPECT_EQ(pool.in_use(), 0u);
    EXPECT_EQ(account->held(), 0u);
    EXPECT_EQ(endpoints.size(), 0u);
  }

  void start() {
    if (!tcp)
      tcp = std::make_unique<Tcp>(config, TcpParts{sender, hooks, pool, random, endpoints, addresses, teller});
  }
  void listen() {
    start();
    auto listened = tcp->listen({local.address, local.port}, nullptr);
    ASSERT_NE(listened.listener, nullptr);
    listener = listened.listener;
    listener->set_accept_handler([this](std::shared_ptr<Endpoint> accepted) {
      endpoint = std::move(accepted);
      observer = std::make_shared<RecordingObserver>();
      endpoint->set_observer(observer);
      ++accepted_count;
    });
  }
  wire::TcpOptions syn_options(const Setup& setup) {
    wire::TcpOptions options;
    options.mss = static_cast<std::uint16_t>(setup.mss);
    options.sack_permitted = setup.sack;
    options.window_scale = setup.window_scale;
    if (setup.timestamp.has_value()) options.timestamps.emplace(wire::Timestamps{*setup.timestamp, 0});
    return options;
  }
  // A handshake that the peer begins; afterwards nothing has been sent that the test did not take.
  void established(const Setup& setup) {
    if (!listener) listen();
    peer_timestamp = setup.timestamp;
    receive({.seq = 0, .flags = flag::kSyn, .window = setup.window, .options = syn_options(setup)});
    const Sent syn_ack = expect_one();
    EXPECT_TRUE(syn_ack.has(flag::kSyn | flag::kAck));
    iss = syn_ack.seq;
    if (setup.timestamp) last_timestamp = syn_ack.options.timestamps->value;
    receive({.window = setup.window});
    poll();
    ASSERT_NE(endpoint, nullptr);
    ASSERT_EQ(endpoint->state(), State::Established);
    expect_nothing();
  }
  // A handshake that we begin.
  void connect(const Setup& setup) {
    start();
    auto connected = tcp->connect(remote, nullptr, local);
    ASSERT_NE(connected.endpoint, nullptr);
    endpoint = connected.endpoint;
    observer = std::make_shared<RecordingObserver>();
    endpoint->set_observer(observer);
    poll();
    const Sent syn = expect_one();
    EXPECT_EQ(syn.flags, flag::kSyn);
    iss = syn.seq;
    receive({.seq = 0, .flags = flag::kSyn | flag::kAck, .window = setup.window, .options = syn_options(setup)});
    const Sent ack = expect_one();
    EXPECT_EQ(ack.flags, flag::kAck);
    EXPECT_EQ(endpoint->state(), State::Established);
    poll();
  }

  Packet make_packet(const In& in) {
    wire::TcpFields fields{.src_port = remote.port,
                           .dst_port = local.port,
                           .seq = irs + in.seq,
                           .ack_number = (in.flags & flag::kAck) != 0 ? iss + in.ack : Seq{},
                           .flags = in.flags,
                           .window = static_cast<std::uint16_t>(in.window),
                           .options = in.options};
    if (peer_timestamp && !in.is_raw_timestamp && !fields.options.timestamps)
      fields.options.timestamps = wire::Timestamps{*peer_timestamp, last_timestamp};
    Packet packet = pool.allocate(in.payload.size());
    if (!in.payload.empty()) {
      auto bytes = packet.make_private(in.payload.size());
      std::ranges::copy(in.payload, bytes.begin());
    }
    fields.emit(packet.push(fields.size()));
    PacketMeta& meta = packet.meta();
    meta.family = local.address.family();
    meta.protocol = wire::kProtocolTcp;
    meta.source = remote.address;
    meta.destination = local.address;
    meta.interface_index = 1;
    meta.ip_header_size = 20;
    meta.origin = Origin::Received;
    if (in.segment_count > 1)
      packet.set_coalesced({in.segment_count, static_cast<std::uint16_t>(in.payload.size() / in.segment_count)});
    EXPECT_TRUE(ip::set_partial_checksum(packet));
    EXPECT_TRUE(ip::finish_checksum(packet, 0));
    return packet;
  }
  void receive(const In& in) { tcp->receive(make_packet(in), now); }
  In ack_sack(std::uint32_t number, std::vector<std::pair<std::uint32_t, std::uint32_t>> blocks) {
    In in{.ack = number};
    for (auto [left, right] : blocks) in.options.add_sack_block({iss + left, iss + right});
    return in;
  }

  void poll() { tcp->poll(now); }
  // Runs every deadline on the way.
  void advance(Duration duration) {
    const Instant end = now + duration;
    for (int i = 0; i < 1'000'000; ++i) {
      const Instant next = tcp->next_deadline();
      if (next > end) break;
      now = std::max(now, next);
      poll();
    }
    now = end;
    poll();
  }
  void write_bytes(std::size_t size) {
    EXPECT_EQ(endpoint->write(pattern(size, written)).count, size);
    written += size;
    poll();
  }

  // --- what left ---
  std::vector<Sent> take_all() {
    std::vector<Sent> all(sender.segments.begin(), sender.segments.end());
    sender.segments.clear();
    for (const Sent& sent : all)
      if (sent.options.timestamps) last_timestamp = sent.options.timestamps->value;
    return all;
  }
  Sent expect_one() {
    const auto all = take_all();
    EXPECT_EQ(all.size(), 1u) << describe(all);
    return all.empty() ? Sent{} : all.front();
  }
  void expect_nothing() {
    const auto all = take_all();
    EXPECT_TRUE(all.empty()) << describe(all);
  }
  // Data segments by their relative numbers: begin and size.
  using Range = std::pair<std::uint32_t, std::size_t>;
  void expect_sent(const std::vector<Range>& expected) {
    std::vector<Range> got;
    for (const Sent& sent : take_all()) got.emplace_back(sent.seq - iss, sent.payload.size());
    EXPECT_EQ(got, expected);
  }
  void expect_ack(std::uint32_t number) {
    const Sent sent = expect_one();
    EXPECT_EQ(sent.flags, flag::kAck);
    EXPECT_EQ(sent.ack - irs, number);
    EXPECT_TRUE(sent.payload.empty());
  }
  std::string describe(const std::vector<Sent>& all) const {
    std::string text;
    for (const Sent& s : all)
      text += "[seq " + std::to_string(s.seq - iss) + " ack " + std::to_string(s.ack - irs) + " flags " +
              std::to_string(s.flags) + " len " + std::to_string(s.payload.size()) + "] ";
    return text;
  }
  ByteVector read_all() {
    ByteVector bytes(1 << 20);
    const auto got = endpoint->read(bytes);
    bytes.resize(got.count);
    return bytes;
  }

  TcpConfig config;
  RecordingSender sender;
  Stats stats;
  Hooks hooks{stats};
  PacketPool pool;
  std::shared_ptr<Account> account = std::make_shared<Account>();
  std::shared_ptr<Teller> teller = std::make_shared<Teller>(account);
  SeededRandom random{7};
  ip::EndpointTable endpoints{4096};
  ip::AddressTable addresses;
  SocketAddress local{*IpAddress::parse("10.0.0.2"), 80};
  SocketAddress remote{*IpAddress::parse("10.0.0.1"), 40'000};
  Instant now = Instant::from_ns(1'000'000'000'000);
  std::unique_ptr<Tcp> tcp;
  std::shared_ptr<Listener> listener;
  std::shared_ptr<Endpoint> endpoint;
  std::shared_ptr<RecordingObserver> observer;
  int accepted_count = 0;
  Seq iss{};
  Seq irs{0xffff'fc00};  // wraps after a kilobyte
  std::optional<std::uint32_t> peer_timestamp;
  std::uint32_t last_timestamp = 0;
  std::size_t written = 0;
};

}  // namespace stack::tcp::test
