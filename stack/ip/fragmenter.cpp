#include "stack/ip/fragmenter.hpp"

#include <algorithm>
#include <array>

#include "stack/ip/transport_checksum.hpp"
#include "stack/wire/checksum.hpp"
#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv6.hpp"
#include "stack/wire/ipv6_ext.hpp"
#include "stack/wire/tcp.hpp"

namespace stack::ip {
namespace {

constexpr std::size_t kMaxHeaders = wire::Ipv6Chain::kMaxChainSize + wire::TcpView::kMaxHeaderSize;

// The headers that every piece begins with, on the stack.
class HeaderCopy {
 public:
  HeaderCopy(const Packet& packet, std::size_t size) : size_(size) {
    CHECK(size <= bytes_.size());
    packet.copy_out(0, MutableBytes{bytes_}.first(size));
  }
  Bytes bytes() const { return Bytes{bytes_}.first(size_); }

 private:
  std::array<std::byte, kMaxHeaders> bytes_;
  std::size_t size_;
};

// RFC 791 3.1: only options with the copied bit go into the fragments behind the first. Returns the header's size.
std::size_t keep_copied_options(MutableBytes header) {
  std::size_t from = wire::Ipv4View::kMinHeaderSize, to = from;
  while (from < header.size()) {
    const std::uint8_t kind = load_u8(header, from);
    if (kind == 0) break;
    const std::size_t size =
        kind == 1 || from + 1 >= header.size() ? 1 : std::max<std::size_t>(load_u8(header, from + 1), 1);
    if ((kind & 0x80) != 0 && from + size <= header.size()) {
      std::copy_n(header.begin() + static_cast<std::ptrdiff_t>(from), size,
                  header.begin() + static_cast<std::ptrdiff_t>(to));
      to += size;
    }
    from += size;
  }
  while (to % 4 != 0) store_u8(header, to++, 0);
  return to;
}

void finish_v4_header(MutableBytes header, std::size_t payload_size) {
  store_u8(header, 0, static_cast<std::uint8_t>(0x40 | header.size() / 4));
  store_be16(header, 2, static_cast<std::uint16_t>(header.size() + payload_size));
  store_be16(header, wire::Ipv4View::kChecksumOffset, 0);
  store_be16(header, wire::Ipv4View::kChecksumOffset, wire::checksum_of(header));
}

struct Piece {
  std::uint32_t offset = 0;  // of its payload, from the start of the original datagram's
  std::uint32_t size = 0;
  bool more = false;
};

bool emit_v4_fragment(Packet& piece, Bytes header, const Piece& at, std::uint32_t id) {
  std::array<std::byte, wire::Ipv4View::kMaxHeaderSize> copy;
  std::ranges::copy(header, copy.begin());
  std::size_t size = header.size();
  if (at.offset != 0 && size > wire::Ipv4View::kMinHeaderSize)
    size = keep_copied_options(MutableBytes{copy}.first(size));
  const MutableBytes out = piece.push(size);
  if (out.empty()) return false;
  std::copy_n(copy.begin(), size, out.begin());
  store_be16(out, 4, static_cast<std::uint16_t>(id));
  store_be16(out, 6, static_cast<std::uint16_t>(at.offset / 8 | (at.more ? 0x2000U : 0U)));
  finish_v4_header(out, at.size);
  piece.meta().ip_header_size = static_cast<std::uint32_t>(size);
  return true;
}

bool emit_v6_fragment(Packet& piece, Bytes header, const IpHeader& whole, const Piece& at, std::uint32_t id) {
  constexpr std::size_t kExtra = wire::Ipv6Fragment::kHeaderSize;
  const MutableBytes out = piece.push(header.size() + kExtra);
  if (out.empty()) return false;
  std::ranges::copy(header, out.begin());
  store_u8(out, whole.next_header_offset, wire::ipv6_header::kFragment);
  const std::size_t payload = header.size() - wire::Ipv6View::kHeaderSize + kExtra + at.size;
  store_be16(out, wire::Ipv6View::kPayloadLengthOffset, static_cast<std::uint16_t>(payload));
  wire::Ipv6FragmentFields{.next_header = whole.protocol, .offset = at.offset, .more = at.more, .id = id}.emit(
      out.subspan(header.size()));
  piece.meta().ip_header_size = static_cast<std::uint32_t>(out.size());
  return true;
}

bool emit_segment_headers(Packet& piece, Bytes headers, const IpHeader& ip, std::uint32_t index, std::uint32_t offset,
                          std::uint32_t size, bool is_last) {
  const MutableBytes out = piece.push(headers.size());
  if (out.empty()) return false;
  std::ranges::copy(headers, out.begin());
  const std::size_t tcp_size = headers.size() - ip.header_size + size;
  if (ip.family == Family::V4) {
    store_be16(out, 4, static_cast<std::uint16_t>(load_be16(headers, 4) + index));
    finish_v4_header(out.first(ip.header_size), tcp_size);
  } else {
    store_be16(out, wire::Ipv6View::kPayloadLengthOffset,
               static_cast<std::uint16_t>(ip.header_size - wire::Ipv6View::kHeaderSize + tcp_size));
  }
  const MutableBytes tcp = out.subspan(ip.header_size);
  std::uint8_t flags = load_u8(tcp, 13);
  if (!is_last) flags &= static_cast<std::uint8_t>(~(wire::tcp_flag::kFin | wire::tcp_flag::kPsh));
  if (index != 0) flags &= static_cast<std::uint8_t>(~wire::tcp_flag::kCwr);
  store_u8(tcp, 13, flags);
  store_be32(tcp, 4, load_be32(tcp, 4) + offset);
  store_be16(tcp, wire::TcpView::kChecksumOffset, partial_checksum(piece.meta(), tcp_size));
  return true;
}

}  // namespace

Cut cut_into_fragments(PacketPool& pool, Packet& packet, const IpHeader& header, std::uint32_t mtu, std::uint32_t id,
                       const PacketVisitor& visit) {
  const std::uint32_t extra = header.family == Family::V6 ? wire::Ipv6Fragment::kHeaderSize : 0;
  DCHECK(mtu >= header.header_size + extra + 8);
  const HeaderCopy headers{packet, header.header_size};
  const std::uint32_t payload = header.total_size - header.header_size;
  const std::uint32_t room = (mtu - header.header_size - extra) / 8 * 8;
  const std::uint32_t base = header.fragment ? header.fragment->offset : 0;
  const std::uint32_t used_id = header.fragment ? header.fragment->id : id;
  Cut cut;
  for (std::uint32_t done = 0; done < payload;) {
    Piece at{.offset = base + done, .size = std::min(room, payload - done), .more = false};
    at.more = done + at.size < payload || (header.fragment && header.fragment->more);
    Packet piece = pool.slice(packet, header.header_size + done, at.size);
    if (!piece) return cut;
    const bool emitted = header.family == Family::V4 ? emit_v4_fragment(piece, headers.bytes(), at, used_id)
                                                     : emit_v6_fragment(piece, headers.bytes(), header, at, used_id);
    if (!emitted) return cut;
    done += at.size;
    ++cut.made;
    visit(std::move(piece));
  }
  cut.complete = true;
  return cut;
}

Cut cut_into_segments(PacketPool& pool, Packet& packet, const IpHeader& header, std::uint32_t segment_size,
                      const PacketVisitor& visit) {
  DCHECK(segment_size > 0 && header.protocol == wire::kProtocolTcp);
  const std::size_t tcp_limit =
      std::min<std::size_t>(header.total_size, header.header_size + wire::TcpView::kMaxHeaderSize);
  const Bytes head = packet.head(tcp_limit);
  if (head.empty()) return {};
  const auto tcp = wire::TcpView::parse(head.subspan(header.header_size));
  if (!tcp) return {};
  const HeaderCopy headers{packet, header.header_size + tcp->header_size()};
  const auto header_size = static_cast<std::uint32_t>(headers.bytes().size());
  const std::uint32_t payload = header.total_size - header_size;
  const bool verified = packet.checksum().transport_verified;
  Cut cut;
  for (std::uint32_t done = 0; done < payload || cut.made == 0;) {
    const std::uint32_t size = std::min(segment_size, payload - done);
    Packet piece = pool.slice(packet, header_size + done, size);
    if (!piece) return cut;
    fill_meta(piece.meta(), header);
    if (!emit_segment_headers(piece, headers.bytes(), header, cut.made, done, size, done + size == payload))
      return cut;
    piece.set_checksum({.ip_verified = verified, .transport_verified = verified, .transport_partial = true});
    done += size;
    ++cut.made;
    visit(std::move(piece));
  }
  cut.complete = true;
  return cut;
}

}  // namespace stack::ip
