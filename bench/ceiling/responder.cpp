#include "bench/ceiling/responder.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "stack/wire/checksum.hpp"

namespace ceiling {
namespace {

using stack::Bytes;
using stack::load_be16;
using stack::load_be32;
using stack::store_be16;
using stack::store_be32;

constexpr std::size_t kEthernet = 14, kIp = 20, kTcp = 20, kSynOptions = 8;
constexpr std::uint8_t kFin = 1, kSyn = 2, kRst = 4, kPsh = 8, kAck = 16;
constexpr std::uint32_t kInitialSequence = 0x1000, kMss = 1460, kMaxInFlight = 3 << 20;
constexpr std::size_t kLargest = 65'000 / kMss * kMss;  // one large segment
constexpr std::uint8_t kWindowShift = 12;

const std::vector<std::byte> body(kLargest, std::byte{'a'});
constexpr std::string_view kPage = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
constexpr std::string_view kBodyHead = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n";
Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span{text}); }

}  // namespace

struct Responder::Segment {
  Bytes frame;
  Bytes ip() const { return frame.subspan(kEthernet, kIp); }
  Bytes tcp() const { return frame.subspan(kEthernet + kIp); }
  std::size_t header_size() const { return std::to_integer<std::size_t>(tcp()[12]) >> 4 << 2; }
  std::uint8_t flags() const { return std::to_integer<std::uint8_t>(tcp()[13]); }
  bool has(std::uint8_t flag) const { return (flags() & flag) != 0; }
  Bytes payload() const {
    const std::size_t total = load_be16(frame, kEthernet + 2);
    return tcp().subspan(header_size(), total - kIp - header_size());
  }
};

struct Responder::Connection {
  std::array<std::byte, kEthernet + kIp + kTcp> headers{};  // of every segment sent; sizes and numbers are filled in
  std::uint16_t client_port = 0, port = 0;
  std::uint32_t send_next = kInitialSequence, send_unacknowledged = kInitialSequence, receive_next = 0, window = 0;
  std::uint8_t window_shift = 0;
  bool sends_body = false, fin_sent = false, owes_acknowledgement = false;
};

Responder::Responder(Transmit transmit) : transmit_(std::move(transmit)) {}
Responder::~Responder() = default;

void Responder::receive(Bytes frame) {
  constexpr std::size_t kLeast = kEthernet + kIp + kTcp;
  if (frame.size() < kLeast || load_be16(frame, 12) != 0x0800 || frame[kEthernet + 9] != std::byte{6}) return;
  const Segment segment{frame};
  if (segment.header_size() < kTcp || kEthernet + load_be16(frame, kEthernet + 2) > frame.size()) return;
  auto& slot = connections_[load_be16(segment.tcp(), 0)];
  if (segment.has(kRst)) return slot.reset();
  if (segment.has(kSyn)) return open(segment);
  if (slot == nullptr) return;
  take_acknowledgement(*slot, segment);
  if (load_be32(segment.tcp(), 4) != slot->receive_next) return;
  if (!segment.payload().empty()) take_request(*slot, segment);
  if (segment.has(kFin)) take_end(*slot);
  if (slot->fin_sent && slot->send_unacknowledged == slot->send_next && segment.has(kFin)) slot.reset();
}

void Responder::open(const Segment& segment) {
  auto& slot = connections_[load_be16(segment.tcp(), 0)];
  slot = std::make_unique<Connection>();
  auto& c = *slot;
  c.client_port = load_be16(segment.tcp(), 0);
  c.port = load_be16(segment.tcp(), 2);
  c.receive_next = load_be32(segment.tcp(), 4) + 1;
  for (std::size_t at = kTcp; at + 2 < segment.header_size();) {
    const auto kind = std::to_integer<unsigned>(segment.tcp()[at]);
    if (kind == 3) c.window_shift = std::to_integer<std::uint8_t>(segment.tcp()[at + 2]);
    at += kind <= 1 ? 1 : std::max<std::size_t>(2, std::to_integer<std::size_t>(segment.tcp()[at + 1]));
  }
  auto* out = c.headers.data();
  std::memcpy(out, segment.frame.data() + 6, 6);
  std::memcpy(out + 6, segment.frame.data(), 6);
  store_be16(c.headers, 12, 0x0800);
  c.headers[kEthernet] = std::byte{0x45};
  c.headers[kEthernet + 6] = std::byte{0x40};  // do not fragment
  c.headers[kEthernet + 8] = std::byte{64};
  c.headers[kEthernet + 9] = std::byte{6};
  std::memcpy(out + kEthernet + 12, segment.ip().data() + 16, 4);
  std::memcpy(out + kEthernet + 16, segment.ip().data() + 12, 4);
  store_be16(c.headers, kEthernet + kIp, c.port);
  store_be16(c.headers, kEthernet + kIp + 2, c.client_port);
  send(c, kSyn | kAck, c.send_next, {});
  ++c.send_next;
}

void Responder::take_acknowledgement(Connection& c, const Segment& segment) {
  const auto acknowledged = load_be32(segment.tcp(), 8);
  if (static_cast<std::int32_t>(acknowledged - c.send_unacknowledged) > 0) c.send_unacknowledged = acknowledged;
  if (static_cast<std::int32_t>(c.send_unacknowledged - c.send_next) > 0) c.send_next = c.send_unacknowledged;
  c.window = std::uint32_t{load_be16(segment.tcp(), 14)} << c.window_shift;
  if (c.sends_body) pump(c);
}

void Responder::take_request(Connection& c, const Segment& segment) {
  const auto payload = segment.payload();
  c.receive_next += static_cast<std::uint32_t>(payload.size());
  const auto reply = [&](Bytes bytes, std::uint8_t flags) {
    send(c, flags, c.send_next, bytes);
    c.send_next += static_cast<std::uint32_t>(bytes.size()) + ((flags & kFin) != 0 ? 1 : 0);
  };
  if (c.port == 7) return reply(payload.first(std::min<std::size_t>(payload.size(), kMss)), kAck | kPsh);
  if (c.port == 80 && !c.sends_body && !c.fin_sent) {
    constexpr std::string_view kBulk = "GET /bytes/";
    c.sends_body = payload.size() > kBulk.size() && std::memcmp(payload.data(), kBulk.data(), kBulk.size()) == 0;
    c.fin_sent = !c.sends_body;
    reply(bytes_of(c.sends_body ? kBodyHead : kPage),
          static_cast<std::uint8_t>(kAck | kPsh | (c.fin_sent ? kFin : 0)));
    if (c.sends_body) pump(c);
    return;
  }
  if (c.owes_acknowledgement) return;
  if (unacknowledged_count_ == unacknowledged_.size()) return send(c, kAck, c.send_next, {});
  c.owes_acknowledgement = true;
  unacknowledged_[unacknowledged_count_++] = c.client_port;
}

void Responder::take_end(Connection& c) {
  ++c.receive_next;
  c.sends_body = false;
  send(c, static_cast<std::uint8_t>(c.fin_sent ? kAck : kAck | kFin), c.send_next, {});
  if (!c.fin_sent) ++c.send_next;
  c.fin_sent = true;
}

void Responder::pump(Connection& c) {
  for (;;) {
    const std::uint32_t in_flight = c.send_next - c.send_unacknowledged;
    const std::uint32_t limit = std::min(c.window, kMaxInFlight);
    if (in_flight >= limit) return;
    const std::size_t size = std::min<std::size_t>((limit - in_flight) / kMss * kMss, kLargest);
    if (size == 0) return;
    send(c, kAck | kPsh, c.send_next, Bytes{body}.first(size));
    c.send_next += static_cast<std::uint32_t>(size);
  }
}

void Responder::end_of_batch() {
  for (std::size_t i = 0; i < unacknowledged_count_; ++i) {
    auto* c = connections_[unacknowledged_[i]].get();
    if (c == nullptr || !std::exchange(c->owes_acknowledgement, false)) continue;
    send(*c, kAck, c->send_next, {});
  }
  unacknowledged_count_ = 0;
}

void Responder::on_silence() {
  for (auto& slot : connections_)
    if (slot != nullptr && slot->sends_body && slot->send_next != slot->send_unacknowledged) {
      slot->send_next = slot->send_unacknowledged;
      pump(*slot);
    }
}

void Responder::send(Connection& c, std::uint8_t flags, std::uint32_t sequence, Bytes payload) {
  std::array<std::byte, kHeaderBytes> headers{};
  std::memcpy(headers.data(), c.headers.data(), c.headers.size());
  const std::size_t tcp = kEthernet + kIp, options = (flags & kSyn) != 0 ? kSynOptions : 0;
  const std::size_t tcp_size = kTcp + options + payload.size();
  if (options != 0) {  // MSS, no-operation, window scale
    store_be32(headers, tcp + kTcp, 0x0204'0000U | kMss);
    store_be32(headers, tcp + kTcp + 4, 0x0103'0300U | kWindowShift);
  }
  store_be16(headers, kEthernet + 2, static_cast<std::uint16_t>(kIp + tcp_size));
  store_be16(headers, kEthernet + 10, stack::wire::checksum_of(Bytes{headers}.subspan(kEthernet, kIp)));
  store_be32(headers, tcp + 4, sequence);
  store_be32(headers, tcp + 8, c.receive_next);
  headers[tcp + 12] = static_cast<std::byte>((kTcp + options) / 4 << 4);
  headers[tcp + 13] = static_cast<std::byte>(flags);
  store_be16(headers, tcp + 14, 0xffff);
  std::uint32_t pseudo = 6 + static_cast<std::uint32_t>(tcp_size);
  for (std::size_t at = kEthernet + 12; at < kEthernet + kIp; at += 2) pseudo += load_be16(headers, at);
  while (pseudo >> 16 != 0) pseudo = (pseudo & 0xffff) + (pseudo >> 16);
  store_be16(headers, tcp + 16, static_cast<std::uint16_t>(pseudo));
  tap::VnetHeader vnet;
  vnet.checksum = tap::ChecksumState::Needed;
  vnet.checksum_start = tcp;
  vnet.checksum_offset = 16;
  vnet.header_length = static_cast<std::uint16_t>(tcp + kTcp + options);
  if (payload.size() > kMss) {
    vnet.gso_type = tap::GsoType::Tcp4;
    vnet.gso_size = kMss;
  }
  transmit_(vnet, Bytes{headers}.first(vnet.header_length), payload);
}

}  // namespace ceiling
