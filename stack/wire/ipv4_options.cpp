#include "stack/wire/ipv4_options.hpp"

#include "stack/wire/ipv4.hpp"

namespace stack::wire {
namespace {
constexpr std::uint8_t kEnd = 0, kNop = 1, kRecordRoute = 7, kLooseSourceRoute = 131, kStrictSourceRoute = 137;

// Kind, length, pointer, then addresses; the pointer counts from 1 at the kind and stands on an address or behind
// all.
bool is_route_legal(Bytes option) { return option.size() >= 3 && load_u8(option, 2) >= 4; }
bool is_route_used_up(Bytes option) { return load_u8(option, 2) > option.size(); }
}  // namespace

Ipv4Options Ipv4Options::parse(Bytes options) {
  Ipv4Options parsed;
  std::size_t at = 0;
  while (at < options.size()) {
    const std::uint8_t kind = load_u8(options, at);
    if (kind == kEnd) break;
    if (kind == kNop) {
      ++at;
      continue;
    }
    const std::size_t left = options.size() - at;
    const std::size_t size = left < 2 ? 0 : load_u8(options, at + 1);
    bool is_legal = size >= 2 && size <= left;
    if (is_legal) {
      const Bytes option = options.subspan(at, size);
      if (kind == kRecordRoute || kind == kLooseSourceRoute || kind == kStrictSourceRoute) {
        is_legal = is_route_legal(option);
        if (is_legal && kind != kRecordRoute) parsed.source_route |= !is_route_used_up(option);
      }
    }
    if (!is_legal) {
      parsed.error_offset = Ipv4View::kMinHeaderSize + at;
      break;
    }
    at += size;
  }
  return parsed;
}

}  // namespace stack::wire
