#include "bench/counters/paths.hpp"

#include <algorithm>
#include <array>
#include <list>
#include <string>

#include "bench/counters/test_bed.hpp"
#include "fwpsk.h"
#include "wfp/engine/engine.hpp"

namespace counters {
namespace {

constexpr std::size_t kMiB = 1 << 20;

// Reads what comes; writes until `to_send` bytes are on their way.
class Application final : public stack::TcpStream::Observer {
 public:
  explicit Application(stack::TcpStream stream) : stream_(std::move(stream)) { stream_.set_observer(this); }

  void send(std::size_t count) {
    to_send_ += count;
    on_writable();
  }
  void send_last(std::size_t count) {
    stream_.finish_after_next_write();
    send(count);
  }
  void close() { stream_.close(); }
  std::size_t received() const { return received_; }
  bool is_finished() const { return is_finished_; }
  std::function<void(Application&)> when_readable;

  void on_connected() override { on_writable(); }
  void on_readable() override {
    for (;;) {
      const auto got = stream_.read(buffer_);
      if (got.error != stack::Error::None) break;
      is_finished_ = got.count == 0;
      if (is_finished_) break;
      received_ += got.count;
    }
    if (when_readable) when_readable(*this);
  }
  void on_writable() override {
    while (to_send_ > 0) {
      const auto put = stream_.write(stack::Bytes{buffer_}.first(std::min(to_send_, buffer_.size())));
      if (put.count == 0) return;
      to_send_ -= put.count;
    }
  }
  void on_failed(stack::Error) override {}

 private:
  stack::TcpStream stream_;
  std::array<std::byte, 65'536> buffer_{};
  std::size_t to_send_ = 0, received_ = 0;
  bool is_finished_ = false;
};

// One connection between the peer and the host.
struct Pair {
  explicit Pair(TestBed& bed) {
    bed.serve([this](stack::TcpStream stream) { host.emplace_back(std::move(stream)); });
    peer.emplace_back(bed.connect());
    CHECK(bed.run_until([this] { return !host.empty(); }));
  }
  std::list<Application> host, peer;
};

std::optional<Measured> bulk(bool host_sends) {
  constexpr std::size_t kWarmUp = 4 * kMiB, kBytes = 8 * kMiB;
  TestBed bed{""};
  Pair pair{bed};
  auto& from = host_sends ? pair.host.front() : pair.peer.front();
  auto& to = host_sends ? pair.peer.front() : pair.host.front();
  from.send(kWarmUp);
  if (!bed.run_until([&] { return to.received() == kWarmUp; })) return std::nullopt;
  begin();
  from.send(kBytes);
  const bool is_done = bed.run_until([&] { return to.received() == kWarmUp + kBytes; });
  const auto counts = end();
  return is_done ? std::optional{Measured{counts, kBytes / kMiB}} : std::nullopt;
}

std::optional<Measured> request_response(const std::string& driver) {
  constexpr std::size_t kWarmUp = 200, kRounds = 500;
  TestBed bed{driver};
  Pair pair{bed};
  auto& client = pair.peer.front();
  std::size_t answered = 0;
  pair.host.front().when_readable = [&](Application& server) {
    server.send(server.received() - answered);
    answered = server.received();
  };
  const auto rounds = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto before = client.received();
      client.send(1);
      if (!bed.run_until([&] { return client.received() == before + 1; })) return false;
    }
    return true;
  };
  if (!rounds(kWarmUp)) return std::nullopt;
  begin();
  const bool is_done = rounds(kRounds);
  const auto counts = end();
  return is_done ? std::optional{Measured{counts, kRounds}} : std::nullopt;
}

// A client asks, the host answers and closes, as an http service does at `Connection: close`.
std::optional<Measured> connect_close(const std::string& driver) {
  constexpr std::size_t kWarmUp = 50, kRounds = 100, kRequest = 80, kAnswer = 400;
  TestBed bed{driver};
  std::list<Application> served;
  bed.serve([&](stack::TcpStream stream) {
    served.emplace_back(std::move(stream)).when_readable = [](Application& server) {
      if (server.received() == kRequest && !server.is_finished()) server.send_last(kAnswer);
      if (server.is_finished()) server.close();
    };
  });
  const auto rounds = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      Application client{bed.connect()};
      client.send(kRequest);
      if (!bed.run_until([&] { return client.is_finished(); })) return false;
      client.close();
      if (!bed.run_until([&] { return served.back().is_finished(); })) return false;
      served.clear();
    }
    return true;
  };
  if (!rounds(kWarmUp)) return std::nullopt;
  begin();
  const bool is_done = rounds(kRounds);
  const auto counts = end();
  return is_done ? std::optional{Measured{counts, kRounds}} : std::nullopt;
}

// Ten filters at one layer, each for a remote port; a packet to another one is compared with all of them.
std::optional<Measured> classify_10_filters() {
  constexpr std::size_t kWarmUp = 1000, kRounds = 10'000;
  constexpr std::uint16_t kLayer = FWPS_LAYER_INBOUND_TRANSPORT_V4, kFilters = 10, kFirstPort = 5000;
  TestBed bed{""};
  auto& engine = bed.host().engine();
  wfp::engine::SessionId session = 0;
  engine.management().open({.name = u"counters"}, session);
  for (std::uint16_t i = 0; i < kFilters; ++i) {
    wfp::model::Filter filter;
    filter.name = u"counters";
    filter.layer = kLayer;
    filter.action = FWP_ACTION_BLOCK;
    wfp::model::Condition condition;
    condition.field = FWPS_FIELD_INBOUND_TRANSPORT_V4_IP_REMOTE_PORT;
    condition.value.type = FWP_UINT16;
    condition.value.low.type = FWP_UINT16;
    condition.value.low.number = kFirstPort + i;
    filter.conditions.push_back(condition);
    std::uint64_t id = 0;
    if (engine.management().add(session, filter, &id) != STATUS_SUCCESS) return std::nullopt;
  }
  std::array<FWPS_INCOMING_VALUE0, FWPS_FIELD_INBOUND_TRANSPORT_V4_MAX> fields{};
  fields[FWPS_FIELD_INBOUND_TRANSPORT_V4_IP_REMOTE_PORT].value = {.type = FWP_UINT16, .uint16 = 80};
  const FWPS_INCOMING_VALUES0 values{kLayer, FWPS_FIELD_INBOUND_TRANSPORT_V4_MAX, fields.data()};
  const FWPS_INCOMING_METADATA_VALUES0 metadata{};
  std::size_t permitted = 0;
  const auto classify = [&](std::size_t count) {
    const Counted counted;
    for (std::size_t i = 0; i < count; ++i)
      permitted +=
          engine.classify({.values = &values, .metadata = &metadata}).verdict == wfp::engine::Verdict::Permit;
  };
  classify(kWarmUp);
  begin();
  classify(kRounds);
  const auto counts = end();
  engine.management().close(session);
  return permitted == kWarmUp + kRounds ? std::optional{Measured{counts, kRounds}} : std::nullopt;
}

}  // namespace

std::optional<Measured> measure(std::string_view path) {
  if (path == "bulk_receive") return bulk(false);
  if (path == "bulk_send") return bulk(true);
  if (path == "request_response") return request_response("");
  if (path == "connect_close") return connect_close("");
  if (path == "request_response_passthrough") return request_response("passthrough");
  if (path == "connect_close_passthrough") return connect_close("passthrough");
  if (path == "classify_10_filters") return classify_10_filters();
  return std::nullopt;
}

}  // namespace counters
