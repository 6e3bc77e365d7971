#include "stack/wire/ipv6_ext.hpp"

#include "stack/wire/ipv6.hpp"

namespace stack::wire {
namespace {

using Verdict = Ipv6Chain::Verdict;
using ProblemCode = Ipv6Chain::ProblemCode;

Verdict problem(Ipv6Chain& chain, ProblemCode code, std::size_t at) {
  chain.problem_code = code;
  chain.problem_offset = at;
  return Verdict::ParameterProblem;
}

// RFC 8200 4.2: the two high bits of an unknown option's type say what its receiver does.
Verdict on_unknown_option(Ipv6Chain& chain, std::uint8_t type, std::size_t at) {
  switch (type >> 6) {
    case 0:
      return Verdict::Ok;
    case 1:
      return Verdict::Drop;
    default:
      chain.answer_multicast = type >> 6 == 2;
      return problem(chain, ProblemCode::UnknownOption, at);
  }
}

// Options of a hop-by-hop or destination header between `at` and `end`.
Verdict walk_options(Ipv6Chain& chain, Bytes packet, std::size_t at, std::size_t end) {
  constexpr std::uint8_t kPad1 = 0, kPadN = 1, kRouterAlert = 5;
  for (int count = 0; at < end; ++count) {
    if (count == Ipv6Chain::kMaxOptions) return Verdict::Drop;
    const std::uint8_t type = load_u8(packet, at);
    if (type == kPad1) {
      ++at;
      continue;
    }
    if (end - at < 2) return problem(chain, ProblemCode::ErroneousField, at);
    const std::size_t size = std::size_t{2} + load_u8(packet, at + 1);
    if (size > end - at) return problem(chain, ProblemCode::ErroneousField, at + 1);
    if (type != kPadN && type != kRouterAlert) {
      const Verdict verdict = on_unknown_option(chain, type, at);
      if (verdict != Verdict::Ok) return verdict;
    }
    at += size;
  }
  return Verdict::Ok;
}

Ipv6Fragment parse_fragment(Bytes packet, std::size_t at, std::size_t next_header_offset) {
  const std::uint16_t bits = load_be16(packet, at + 2);
  return {.header_offset = at,
          .next_header_offset = next_header_offset,
          .next_header = load_u8(packet, at),
          .offset = static_cast<std::size_t>(bits & 0xfff8),
          .more = (bits & 1) != 0,
          .id = load_be32(packet, at + 4)};
}

// The header at chain.offset, whose bytes are all there. Sets its size.
Verdict walk_one(Ipv6Chain& chain, Bytes packet, std::size_t& size) {
  const std::size_t at = chain.offset;
  if (chain.protocol == ipv6_header::kFragment) {
    size = Ipv6Fragment::kHeaderSize;
    const Ipv6Fragment fragment = parse_fragment(packet, at, chain.next_header_offset);
    chain.has_fragment_header = true;
    if (fragment.more || fragment.offset != 0) chain.fragment = fragment;
    return Verdict::Ok;
  }
  size = std::size_t{8} * (std::size_t{1} + load_u8(packet, at + 1));
  if (size > packet.size() - at) return Verdict::Drop;
  if (chain.protocol == ipv6_header::kRouting)
    return load_u8(packet, at + 3) == 0 ? Verdict::Ok : problem(chain, ProblemCode::ErroneousField, at + 2);
  if (chain.protocol == ipv6_header::kHopByHop && at != Ipv6View::kHeaderSize)
    return problem(chain, ProblemCode::UnknownNextHeader, chain.next_header_offset);
  return walk_options(chain, packet, at + 2, at + size);
}

}  // namespace

Ipv6Chain Ipv6Chain::walk(Bytes packet) {
  DCHECK(packet.size() >= Ipv6View::kHeaderSize);
  if (packet.size() > kMaxChainSize) packet = packet.first(kMaxChainSize);
  Ipv6Chain chain;
  chain.offset = Ipv6View::kHeaderSize;
  chain.protocol = load_u8(packet, chain.next_header_offset);
  for (int count = 0; is_extension_header(chain.protocol); ++count) {
    std::size_t size = 0;
    if (count == kMaxHeaders || packet.size() - chain.offset < Ipv6Fragment::kHeaderSize)
      chain.verdict = Verdict::Drop;
    else
      chain.verdict = walk_one(chain, packet, size);
    if (chain.verdict != Verdict::Ok) return chain;
    chain.next_header_offset = chain.offset;
    chain.protocol = load_u8(packet, chain.offset);
    chain.offset += size;
    if (chain.fragment) return chain;
  }
  return chain;
}

std::optional<Ipv6UpperLayer> find_upper_layer(Bytes packet) {
  DCHECK(packet.size() >= Ipv6View::kHeaderSize);
  Ipv6UpperLayer found{.protocol = load_u8(packet, 6), .offset = Ipv6View::kHeaderSize};
  for (int count = 0; is_extension_header(found.protocol); ++count) {
    const std::size_t left = packet.size() - found.offset;
    if (count == Ipv6Chain::kMaxHeaders || left < Ipv6Fragment::kHeaderSize) return std::nullopt;
    std::size_t size = Ipv6Fragment::kHeaderSize;
    if (found.protocol != ipv6_header::kFragment)
      size *= std::size_t{1} + load_u8(packet, found.offset + 1);
    else if (parse_fragment(packet, found.offset, 0).offset != 0)
      found.is_later_fragment = true;
    if (size > left) return std::nullopt;
    found.protocol = load_u8(packet, found.offset);
    found.offset += size;
    if (found.is_later_fragment) break;
  }
  return found;
}

void Ipv6FragmentFields::emit(MutableBytes into) const {
  DCHECK(into.size() >= size() && offset % 8 == 0 && offset <= 0xfff8);
  store_u8(into, 0, next_header);
  store_u8(into, 1, 0);
  store_be16(into, 2, static_cast<std::uint16_t>(offset | (more ? 1U : 0U)));
  store_be32(into, 4, id);
}

}  // namespace stack::wire
