// TCP sequence numbers (RFC 9293 3.4): a circle of 2^32 numbers. There is no operator<, because the order is
// circular: a.before(b) means that b lies in the half circle after a.
#pragma once

#include <cstdint>

namespace stack {

class Seq {
 public:
  constexpr Seq() = default;
  constexpr explicit Seq(std::uint32_t value) : value_(value) {}
  constexpr std::uint32_t value() const { return value_; }

  constexpr bool operator==(const Seq&) const = default;
  constexpr Seq operator+(std::uint32_t n) const { return Seq{value_ + n}; }
  constexpr Seq operator-(std::uint32_t n) const { return Seq{value_ - n}; }
  constexpr Seq& operator+=(std::uint32_t n) { return value_ += n, *this; }
  // Distance from `other` forward to this one, modulo 2^32.
  constexpr std::uint32_t operator-(Seq other) const { return value_ - other.value_; }

  constexpr bool before(Seq other) const { return static_cast<std::int32_t>(value_ - other.value_) < 0; }
  constexpr bool after(Seq other) const { return other.before(*this); }
  constexpr bool at_or_before(Seq other) const { return !other.before(*this); }
  constexpr bool at_or_after(Seq other) const { return !before(other); }
  // In [first, first + length).
  constexpr bool within(Seq first, std::uint32_t length) const { return *this - first < length; }

 private:
  std::uint32_t value_ = 0;
};

constexpr Seq later(Seq a, Seq b) { return a.before(b) ? b : a; }
constexpr Seq earlier(Seq a, Seq b) { return a.before(b) ? a : b; }

static_assert(Seq{0xffff'fff0}.before(Seq{0x10}) && Seq{0x10} - Seq{0xffff'fff0} == 0x20);

}  // namespace stack
