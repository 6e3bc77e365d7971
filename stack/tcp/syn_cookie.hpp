// SYN cookies (RFC 4987 3.6): a SYN-ACK whose sequence number is the state. It carries a slow clock, the class of the
// peer's MSS and a keyed hash; the peer's window scale and SACK permission travel in the low bits of our timestamp,
// when it uses timestamps, and are lost otherwise.
//
// A cookie is good for kLifetime; forging one means guessing 24 bits for each attempt within it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "stack/base/rng.hpp"
#include "stack/tcp/four_tuple.hpp"
#include "stack/tcp/segment.hpp"

namespace stack::tcp {

class SynCookies {
 public:
  static constexpr Duration kPeriod = 32s;
  static constexpr std::uint32_t kPeriods = 2;  // that a cookie lives, the current one not counted
  static constexpr Duration kLifetime = kPeriod * kPeriods;

  // What a cookie restores.
  struct Restored {
    std::uint16_t mss = 536;
    std::optional<std::uint8_t> window_scale{};
    bool sack_permitted = false;
  };

  explicit SynCookies(RandomSource& random) : key_{random.next(), random.next()} {}

  // The sequence number of the SYN-ACK that answers `syn`.
  Seq make(const FourTuple& tuple, const Segment& syn, Instant now) const;
  // The timestamp of that SYN-ACK: at or a little before `timestamp`, with the options in its low bits.
  static std::uint32_t encode_timestamp(std::uint32_t timestamp, const wire::TcpOptions& peer);
  // Judges the ACK of such a SYN-ACK. Empty: no cookie of ours, or too old.
  std::optional<Restored> check(const FourTuple& tuple, const Segment& ack, Instant now) const;

 private:
  std::uint32_t mac(const FourTuple& tuple, Seq irs, std::uint32_t period, std::uint32_t mss_class) const;
  SipKey key_;
};

}  // namespace stack::tcp
