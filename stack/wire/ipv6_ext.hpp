// IPv6 extension headers (RFC 8200 4): one bounded walk from the IPv6 header's next-header field to the transport
// header or to a fragment header. It says what the receiver must do, and where in the packet an ICMPv6 parameter
// problem points.
//
// Hop-by-hop options are legal as the first header only. A routing header with segments left is refused, type 0
// included (RFC 5095). An atomic fragment (RFC 6946) is walked over like any other header. Bounds: kMaxHeaders,
// kMaxOptions (RFC 8504 5.3), kMaxChainSize.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "stack/base/bytes.hpp"

namespace stack::wire {

namespace ipv6_header {
inline constexpr std::uint8_t kHopByHop = 0, kRouting = 43, kFragment = 44, kNone = 59, kDestination = 60;
}

// True for the headers that the walk understands.
constexpr bool is_extension_header(std::uint8_t next_header) {
  return next_header == ipv6_header::kHopByHop || next_header == ipv6_header::kRouting ||
         next_header == ipv6_header::kFragment || next_header == ipv6_header::kDestination;
}

struct Ipv6Fragment {
  static constexpr std::size_t kHeaderSize = 8;
  std::size_t header_offset = 0;       // of the fragment header, from the start of the IPv6 header
  std::size_t next_header_offset = 0;  // of the field that announces the fragment header, likewise
  std::uint8_t next_header = 0;        // of the fragmentable part
  std::size_t offset = 0;              // bytes
  bool more = false;
  std::uint32_t id = 0;
};

struct Ipv6Chain {
  static constexpr int kMaxHeaders = 8;
  static constexpr int kMaxOptions = 16;
  static constexpr std::size_t kMaxChainSize = 1280;

  enum class Verdict : std::uint8_t {
    Ok,                // transport header at `offset`, or `fragment` is set and its data start there
    Drop,              // silently: cut off, over a bound, or an option says so
    ParameterProblem,  // RFC 4443 3.4: code and pointer below
  };
  enum class ProblemCode : std::uint8_t { ErroneousField = 0, UnknownNextHeader = 1, UnknownOption = 2 };

  Verdict verdict = Verdict::Ok;
  std::uint8_t protocol = 0;             // what stands at `offset`
  std::size_t offset = 0;                // from the start of the IPv6 header
  std::size_t next_header_offset = 6;    // of the field that announces `protocol`, likewise
  std::optional<Ipv6Fragment> fragment;  // the walk stopped behind a fragment header that is not atomic
  bool has_fragment_header = false;      // of an atomic fragment, too
  ProblemCode problem_code{};
  std::size_t problem_offset = 0;
  bool answer_multicast = false;  // the problem is reported although the destination was a group (option bits 10)

  // `packet` starts at the IPv6 header (40 bytes at least) and holds the packet or its first kMaxChainSize bytes.
  static Ipv6Chain walk(Bytes packet);
};

// What a packet carries behind its extension headers, however bad their options are: for those who must know what it
// was although the walk refused it.
struct Ipv6UpperLayer {
  std::uint8_t protocol = 0;
  std::size_t offset = 0;          // from the start of the IPv6 header
  bool is_later_fragment = false;  // `protocol` is what the first fragment begins with, nothing of it is at `offset`
};
// `packet` as for Ipv6Chain::walk. Nothing: cut off before, or over a bound.
std::optional<Ipv6UpperLayer> find_upper_layer(Bytes packet);

// The fragment header that a sender inserts.
struct Ipv6FragmentFields {
  std::uint8_t next_header = 0;
  std::size_t offset = 0;  // bytes, a multiple of eight
  bool more = false;
  std::uint32_t id = 0;

  static constexpr std::size_t size() { return Ipv6Fragment::kHeaderSize; }
  void emit(MutableBytes into) const;
};

}  // namespace stack::wire
