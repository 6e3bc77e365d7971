#include "stack/tcp/isn.hpp"

namespace stack::tcp {
namespace {

constexpr std::uint64_t kSequenceSalt = 1, kTimestampSalt = 2, kReuseSalt = 3;
constexpr std::int64_t kTickNs = 4'000;

}  // namespace

Seq IsnGenerator::make(const FourTuple& tuple, Instant now) const {
  const auto clock = static_cast<std::uint32_t>(now.ns() / kTickNs);
  return Seq{clock + static_cast<std::uint32_t>(tuple.hash(key_, kSequenceSalt))};
}

Seq IsnGenerator::make_after(const FourTuple& tuple, Seq used, Instant now) const {
  const Seq usual = make(tuple, now);
  if (usual.after(used)) return usual;
  // A fast connection used numbers faster than the clock: step over them by a distance that cannot be guessed.
  constexpr std::uint32_t kStep = 1U << 16;
  return used + kStep + static_cast<std::uint32_t>(tuple.hash(key_, kReuseSalt ^ used.value())) % kStep;
}

std::uint32_t IsnGenerator::timestamp_offset(const FourTuple& tuple) const {
  return static_cast<std::uint32_t>(tuple.hash(key_, kTimestampSalt));
}

}  // namespace stack::tcp
