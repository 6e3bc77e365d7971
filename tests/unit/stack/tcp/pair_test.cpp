// Two TCP modules joined by a pipe in virtual time that loses, delays, reorders, duplicates, cuts and coalesces:
// every byte arrives once and in order, both ways, and nothing is left behind.
#include <queue>

#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

struct PipeOptions {
  Family family = Family::V4;
  double loss = 0, duplicate = 0, reorder = 0;
  std::uint32_t large_send_max = 0;
  bool coalesce = false;  // large segments cross the pipe whole, as GRO would deliver them
  bool sack = true, timestamps = true;
  CongestionAlgorithm congestion = CongestionAlgorithm::Cubic;
  std::size_t buffer = 256 << 10;
  std::uint32_t mtu = 1500;
};

struct Flight {
  Instant at;
  std::uint64_t order;
  int to;
  ByteVector bytes;
  std::uint16_t segment_count;
  bool operator>(const Flight& other) const { return at != other.at ? at > other.at : order > other.order; }
};

class Host;

class Pipe {
 public:
  explicit Pipe(const PipeOptions& pipe_options, std::uint64_t seed) : options(pipe_options), random(seed) {}
  void send(int to, ByteVector bytes, std::uint32_t segment_size, Instant now);
  double uniform() { return static_cast<double>(random.next_u32()) / 4294967296.0; }
  PipeOptions options;
  SeededRandom random;
  std::priority_queue<Flight, std::vector<Flight>, std::greater<>> flights;
  std::uint64_t order = 0, lost = 0, sent = 0;

 private:
  void put(int to, ByteVector bytes, std::uint16_t count, Instant now);
};

class PipeSender final : public ip::IpSender {
 public:
  PipeSender(Pipe& p, int host) : pipe(p), self(host) {}
  static IpAddress address_of(Family family, int host) {
    const std::string text = (family == Family::V4 ? "10.0.0." : "fd00::") + std::to_string(host + 1);
    return *IpAddress::parse(text);
  }
  Result<ip::Route> route(const IpAddress& remote, const std::optional<IpAddress>&) override {
    ip::Route route;
    route.source = address_of(remote.family(), self);
    route.mtu = pipe.options.mtu;
    route.large_send_max = pipe.options.large_send_max;
    return route;
  }
  std::uint32_t route_generation() const override { return 1; }
  void send(Packet packet, const ip::SendFacts&, const ip::Route&, Instant now) override {
    const std::uint32_t segment_size = packet.large_send().segment_size;
    ByteVector bytes(packet.size());
    packet.copy_out(0, bytes);
    pipe.send(1 - self, std::move(bytes), segment_size, now);
  }
  void confirm_reachable(const ip::Route&, Instant) override {}
  Pipe& pipe;
  int self;
};

void Pipe::send(int to, ByteVector bytes, std::uint32_t segment_size, Instant now) {
  const auto header = wire::TcpView::parse(Bytes{bytes});
  ASSERT_TRUE(header);
  const std::size_t header_size = header->header_size();
  const std::size_t payload = bytes.size() - header_size;
  if (segment_size == 0) {
    EXPECT_LE(payload + header_size + (options.family == Family::V4 ? 20 : 40), options.mtu);
    return put(to, std::move(bytes), 1, now);
  }
  EXPECT_LE(segment_size + header_size + (options.family == Family::V4 ? 20 : 40), options.mtu);
  if (options.coalesce)
    return put(to, std::move(bytes), static_cast<std::uint16_t>((payload + segment_size - 1) / segment_size), now);
  for (std::size_t at = 0; at < payload; at += segment_size) {
    const std::size_t count = std::min<std::size_t>(segment_size, payload - at);
    ByteVector cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(header_size));
    const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(header_size + at);
    cut.insert(cut.end(), from, from + static_cast<std::ptrdiff_t>(count));
    store_be32(cut, 4, header->seq().value() + static_cast<std::uint32_t>(at));
    if (at + count < payload)
      store_u8(cut, 13, header->flags() & static_cast<std::uint8_t>(~(flag::kFin | flag::kPsh)));
    put(to, std::move(cut), 1, now);
  }
}

void Pipe::put(int to, ByteVector bytes, std::uint16_t count, Instant now) {
  ++sent;
  if (uniform() < options.loss) {
    ++lost;
    return;
  }
  const Duration delay = 5ms + (uniform() < options.reorder ? Duration{random.below(3'000'000)} : Duration{});
  if (uniform() < options.duplicate) flights.push({now + delay + 1ms, order++, to, bytes, count});
  flights.push({now + delay, order++, to, std::move(bytes), count});
}

class Host {
 public:
  Host(Pipe& pipe, int self, const TcpConfig& config)
      : index(self), sender(pipe, self), random(static_cast<std::uint64_t>(self) + 99) {
    addresses.add({{PipeSender::address_of(Family::V4, self), 24}, 1});
    addresses.add({{PipeSender::address_of(Family::V6, self), 64}, 1});
    tcp = std::make_unique<Tcp>(config, TcpParts{sender, hooks, pool, random, endpoints, addresses, teller});
  }
  void deliver(Flight flight, Family family, Instant now) {
    Packet packet = pool.allocate(flight.bytes.size());
    std::ranges::copy(flight.bytes, packet.make_private(flight.bytes.size()).begin());
    PacketMeta& meta = packet.meta();
    meta.family = family;
    meta.protocol = wire::kProtocolTcp;
    meta.source = PipeSender::address_of(family, 1 - index);
    meta.destination = PipeSender::address_of(family, index);
    meta.interface_index = 1;
    packet.set_checksum({.transport_verified = true});
    if (flight.segment_count > 1) packet.set_coalesced({flight.segment_count, 1448});
    tcp->receive(std::move(packet), now);
  }
  // Writes what fits of `size` pattern bytes, reads what came and checks it.
  void pump() {
    if (!endpoint) return;
    while (to_write > written) {
      const auto bytes = pattern(std::min<std::size_t>(to_write - written, 7'000), written);
      const auto took = endpoint->write(bytes);
      written += took.count;
      if (took.count < bytes.size()) break;
    }
    if (written == to_write && !finished) {
      finished = true;
      endpoint->shutdown_write();
    }
    ByteVector bytes(50'000);
    for (;;) {
      const auto got = endpoint->read(bytes);
      if (got.count == 0) {
        saw_end = got.error == Error::None;
        break;
      }
      const auto expected = pattern(got.count, read);
      if (!std::equal(expected.begin(), expected.end(), bytes.begin())) ++wrong;
      read += got.count;
    }
    if (saw_end && finished && endpoint->tcb().fin_acked()) {
      endpoint->close();
      endpoint.reset();
      done = true;
    }
  }

  int index;
  PipeSender sender;
  Stats stats;
  Hooks hooks{stats};
  PacketPool pool;
  std::shared_ptr<Teller> teller = unlimited();
  SeededRandom random;
  ip::EndpointTable endpoints{4096};
  ip::AddressTable addresses;
  std::unique_ptr<Tcp> tcp;
  std::shared_ptr<Endpoint> endpoint;
  std::size_t to_write = 0, written = 0, read = 0, wrong = 0;
  bool finished = false, saw_end = false, done = false;
};

struct Outcome {
  Duration elapsed{};
  std::uint64_t sent = 0, lost = 0;
};

Outcome exchange(const PipeOptions& options, std::uint64_t seed, std::size_t up, std::size_t down) {
  TcpConfig config;
  config.receive_buffer = config.send_buffer = options.buffer;
  config.sack = options.sack;
  config.timestamps = options.timestamps;
  config.congestion = options.congestion;
  Pipe pipe{options, seed};
  Host server{pipe, 0, config}, client{pipe, 1, config};
  Instant now = Instant::from_ns(5'000'000'000);
  const Instant begin = now;
  server.to_write = down;
  client.to_write = up;
  const SocketAddress at{PipeSender::address_of(options.family, 0), 80};
  auto listened = server.tcp->listen(at, nullptr);
  listened.listener->set_accept_handler([&](std::shared_ptr<Endpoint> e) { server.endpoint = std::move(e); });
  client.endpoint = client.tcp->connect(at, nullptr).endpoint;
  for (int step = 0; step < 3'000'000; ++step) {
    for (Host* host : {&server, &client}) {
      host->pump();
      host->tcp->poll(now);
    }
    if (server.done && client.done) break;
    Instant next = std::min(server.tcp->next_deadline(), client.tcp->next_deadline());
    if (!pipe.flights.empty()) next = std::min(next, pipe.flights.top().at);
    if (next == kNever) break;
    now = std::max(now, next);
    while (!pipe.flights.empty() && pipe.flights.top().at <= now) {
      Flight flight = pipe.flights.top();
      pipe.flights.pop();
      (flight.to == 0 ? server : client).deliver(std::move(flight), options.family, now);
    }
    if (now - begin > 1h) break;
  }
  EXPECT_TRUE(server.done && client.done)
      << "server " << server.read << "/" << up << " client " << client.read << "/" << down << " seed " << seed;
  EXPECT_EQ(server.read, up);
  EXPECT_EQ(client.read, down);
  EXPECT_EQ(server.wrong + client.wrong, 0u);
  const Outcome outcome{now - begin, pipe.sent, pipe.lost};
  listened.listener->close();
  for (Host* host : {&server, &client}) {
    host->endpoint.reset();
    host->tcp->poll(now);
    host->tcp->poll(now + 300s);
    host->tcp->poll(now + 900s);
    EXPECT_EQ(host->tcp->connection_count(), 0u);
    EXPECT_EQ(host->tcp->time_wait_count(), 0u);
    EXPECT_EQ(host->endpoints.size(), 0u);
    EXPECT_EQ(host->pool.in_use(), 0u);
  }
  return outcome;
}

TEST(Pair, CleanPathIsFast) {
  const Outcome outcome = exchange({}, 1, 4'000'000, 0);
  EXPECT_LT(outcome.elapsed, 3s);  // 256 KiB a round trip of 10 ms
  EXPECT_LT(outcome.sent, 4'000'000 / 1448 * 17 / 10);
}
TEST(Pair, BothWaysOverIpv6) { exchange({.family = Family::V6}, 2, 1'000'000, 1'500'000); }
TEST(Pair, LargeSegmentsCutBelow) { exchange({.large_send_max = 60'000}, 3, 3'000'000, 3'000'000); }
TEST(Pair, LargeSegmentsWhole) {
  const Outcome outcome = exchange({.large_send_max = 60'000, .coalesce = true, .buffer = 4 << 20}, 4, 30'000'000, 0);
  EXPECT_LT(outcome.sent, 6'000u);
  EXPECT_LT(outcome.elapsed, 2s);
}

class Impaired : public ::testing::TestWithParam<int> {};
TEST_P(Impaired, EveryByteArrivesOnce) {
  const int seed = GetParam();
  PipeOptions options{.loss = 0.03, .duplicate = 0.02, .reorder = 0.05};
  options.family = seed % 2 == 0 ? Family::V4 : Family::V6;
  options.large_send_max = seed % 3 == 0 ? 0 : 40'000;
  options.coalesce = seed % 5 == 0;
  options.sack = seed % 4 != 1;
  options.timestamps = seed % 7 != 2;
  options.congestion = seed % 3 == 1 ? CongestionAlgorithm::NewReno : CongestionAlgorithm::Cubic;
  options.mtu = seed % 6 == 0 ? 600 : 1500;
  exchange(options, static_cast<std::uint64_t>(seed), 600'000, 400'000);
}
INSTANTIATE_TEST_SUITE_P(Seeds, Impaired, ::testing::Range(0, 24));

TEST(Pair, HeavyLossEndsWell) { exchange({.loss = 0.2, .reorder = 0.2}, 77, 60'000, 60'000); }
TEST(Pair, SmallBuffersAndClosedWindows) { exchange({.loss = 0.02, .buffer = 4'000}, 78, 200'000, 100'000); }

}  // namespace
}  // namespace stack::tcp::test
