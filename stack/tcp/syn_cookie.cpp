#include "stack/tcp/syn_cookie.hpp"

namespace stack::tcp {
namespace {

// The classes of MSS that a cookie tells apart; what a peer offers is rounded down, never below the first.
constexpr std::array<std::uint16_t, 8> kMssClasses{536, 1'220, 1'300, 1'400, 1'440, 1'460, 4'312, 8'960};
constexpr std::uint32_t kPeriodBits = 5, kMssBits = 3, kMacBits = 24;
static_assert(kPeriodBits + kMssBits + kMacBits == 32 && kMssClasses.size() == 1U << kMssBits);

// Low bits of the timestamp: window scale in four (15: none), SACK in the fifth.
constexpr std::uint32_t kTimestampBits = 5;
constexpr std::uint32_t kNoScale = 15, kSackBit = 16;

std::uint32_t period_of(Instant now) { return static_cast<std::uint32_t>(now.ns() / SynCookies::kPeriod.count()); }

std::uint32_t class_of(std::uint16_t mss) {
  std::uint32_t found = 0;
  while (found + 1 < kMssClasses.size() && kMssClasses[found + 1] <= mss) ++found;
  return found;
}

}  // namespace

std::uint32_t SynCookies::mac(const FourTuple& tuple, Seq irs, std::uint32_t period, std::uint32_t mss_class) const {
  const std::uint64_t salt = std::uint64_t{irs.value()} << 32 | (period & 0xff'ffffU) << 8 | mss_class;
  return static_cast<std::uint32_t>(tuple.hash(key_, salt)) >> (32 - kMacBits);
}

Seq SynCookies::make(const FourTuple& tuple, const Segment& syn, Instant now) const {
  const std::uint32_t period = period_of(now);
  const std::uint32_t mss_class = class_of(syn.options.mss.value_or(kMssClasses[0]));
  const std::uint32_t clock = period & ((1U << kPeriodBits) - 1);
  return Seq{clock << (kMssBits + kMacBits) | mss_class << kMacBits | mac(tuple, syn.seq, period, mss_class)};
}

std::uint32_t SynCookies::encode_timestamp(std::uint32_t timestamp, const wire::TcpOptions& peer) {
  const std::uint32_t scale = peer.window_scale ? std::min<std::uint32_t>(*peer.window_scale, 14) : kNoScale;
  const std::uint32_t bits = scale | (peer.sack_permitted ? kSackBit : 0);
  constexpr std::uint32_t kUnit = 1U << kTimestampBits;
  const std::uint32_t coded = (timestamp & ~(kUnit - 1)) | bits;
  return Seq{timestamp}.before(Seq{coded}) ? coded - kUnit : coded;  // never from the future
}

std::optional<SynCookies::Restored> SynCookies::check(const FourTuple& tuple, const Segment& ack, Instant now) const {
  const std::uint32_t cookie = ack.ack_number.value() - 1;
  const Seq irs = ack.seq - 1;
  const std::uint32_t clock = cookie >> (kMssBits + kMacBits);
  const std::uint32_t mss_class = cookie >> kMacBits & ((1U << kMssBits) - 1);
  const std::uint32_t current = period_of(now);
  const std::uint32_t age = (current - clock) & ((1U << kPeriodBits) - 1);
  if (age > kPeriods) return std::nullopt;
  if (mac(tuple, irs, current - age, mss_class) != (cookie & ((1U << kMacBits) - 1))) return std::nullopt;
  Restored restored{.mss = kMssClasses[mss_class]};
  if (ack.options.timestamps) {
    const std::uint32_t bits = ack.options.timestamps->echo & ((1U << kTimestampBits) - 1);
    if ((bits & kNoScale) != kNoScale) restored.window_scale = static_cast<std::uint8_t>(bits & kNoScale);
    restored.sack_permitted = (bits & kSackBit) != 0;
  }
  return restored;
}

}  // namespace stack::tcp
