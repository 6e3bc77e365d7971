#include "stack/wire/ipv4_options.hpp"

#include <algorithm>

#include "stack/wire/ipv4.hpp"

namespace stack::wire {
namespace {

constexpr std::uint8_t kEnd = 0, kNop = 1, kRecordRoute = 7, kTimestamp = 68, kLooseSourceRoute = 131,
                       kStrictSourceRoute = 137;
constexpr std::size_t kAddress = 4, kTime = 4;

// Kind, length, pointer, then addresses; the pointer counts from 1 at the kind and stands on an address or behind
// all.
bool is_route_legal(Bytes option) { return option.size() >= 3 && load_u8(option, 2) >= 4; }
bool is_route_used_up(Bytes option) { return load_u8(option, 2) > option.size(); }

// Kind, length, pointer, overflow count and flag, then times, which addresses may go before.
enum class TimestampFlag : std::uint8_t { TimesOnly = 0, WithAddresses = 1, OfGivenAddresses = 3 };
bool is_timestamp_legal(Bytes option) { return option.size() >= 4 && load_u8(option, 2) >= 5; }

bool is_legal(std::uint8_t kind, Bytes option) {
  if (kind == kRecordRoute || kind == kLooseSourceRoute || kind == kStrictSourceRoute) return is_route_legal(option);
  return kind != kTimestamp || is_timestamp_legal(option);
}

// Calls visit(kind, option) for each option with a length. Returns where a malformed one stands.
template <typename Visit>
std::optional<std::size_t> for_each_option(Bytes options, Visit visit) {
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
    if (size < 2 || size > left || !is_legal(kind, options.subspan(at, size))) return at;
    visit(kind, options.subspan(at, size));
    at += size;
  }
  return std::nullopt;
}

void record_route(MutableBytes option, const IpAddress& own) {
  const std::size_t at = std::size_t{load_u8(option, 2)} - 1;
  if (at + kAddress > option.size()) return;  // full: it goes on as it is
  std::ranges::copy(own.bytes(), option.begin() + static_cast<std::ptrdiff_t>(at));
  store_u8(option, 2, static_cast<std::uint8_t>(at + kAddress + 1));
}

void record_time(MutableBytes option, const IpAddress& own, std::uint32_t time) {
  const std::size_t at = std::size_t{load_u8(option, 2)} - 1;
  const std::uint8_t overflow_and_flag = load_u8(option, 3);
  const auto flag = TimestampFlag{static_cast<std::uint8_t>(overflow_and_flag & 0x0f)};
  const std::size_t entry = flag == TimestampFlag::TimesOnly ? kTime : kAddress + kTime;
  if (at + entry > option.size()) {
    const bool is_counting = flag != TimestampFlag::OfGivenAddresses && overflow_and_flag < 0xf0;
    if (is_counting) store_u8(option, 3, static_cast<std::uint8_t>(overflow_and_flag + 0x10));
    return;
  }
  const MutableBytes address = option.subspan(at, kAddress);
  if (flag == TimestampFlag::OfGivenAddresses && !std::ranges::equal(address, own.bytes())) return;
  if (flag == TimestampFlag::WithAddresses) std::ranges::copy(own.bytes(), address.begin());
  store_be32(option, at + entry - kTime, time);
  store_u8(option, 2, static_cast<std::uint8_t>(at + entry + 1));
}

}  // namespace

Ipv4Options Ipv4Options::parse(Bytes options) {
  Ipv4Options parsed;
  const auto error = for_each_option(options, [&](std::uint8_t kind, Bytes option) {
    if (kind == kLooseSourceRoute || kind == kStrictSourceRoute) parsed.source_route |= !is_route_used_up(option);
  });
  if (error) parsed.error_offset = Ipv4View::kMinHeaderSize + *error;
  return parsed;
}

Ipv4EchoOptions::Ipv4EchoOptions(Bytes request, const IpAddress& own, std::uint32_t milliseconds) {
  constexpr std::uint32_t kNotTimeOfDay = 0x8000'0000;
  for_each_option(request, [&](std::uint8_t kind, Bytes option) {
    if ((kind != kRecordRoute && kind != kTimestamp) || size_ + option.size() > kMaxSize) return;
    const MutableBytes copy = MutableBytes{bytes_}.subspan(size_, option.size());
    std::ranges::copy(option, copy.begin());
    if (kind == kRecordRoute)
      record_route(copy, own);
    else
      record_time(copy, own, milliseconds | kNotTimeOfDay);
    size_ += option.size();
  });
}

}  // namespace stack::wire
