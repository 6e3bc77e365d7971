// extern "C": IP addresses as text and back, for narrow and wide text alike.
#include <array>
#include <cstdint>
#include <optional>

#include "ip2string.h"
#include "nt/ntstatus.h"
#include "wfp/ledger/require.hpp"

namespace {

// --- from text -----------------------------------------------------------------------------------------------------

template <class Char>
std::optional<unsigned> digit(Char c, unsigned base) {
  unsigned value = base;
  if (c >= '0' && c <= '9')
    value = static_cast<unsigned>(c - '0');
  else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
    value = static_cast<unsigned>((c | 0x20) - 'a') + 10;
  return value < base ? std::optional(value) : std::nullopt;
}

// One part of an IPv4 address; moves `at` past it. Nothing: no digit, too large, or not decimal where it must be.
template <class Char>
std::optional<std::uint64_t> ipv4_part(const Char*& at, bool strict) {
  unsigned base = 10;
  if (at[0] == '0' && digit(at[1], 10)) base = 8;
  if (at[0] == '0' && (at[1] | 0x20) == 'x') base = 16;
  if (base != 10 && strict) return std::nullopt;
  if (base == 16) at += 2;
  if (!digit(*at, base)) return std::nullopt;
  std::uint64_t value = 0;
  for (; const auto next = digit(*at, base); ++at) {
    value = value * base + *next;
    if (value > UINT32_MAX) return std::nullopt;
  }
  return digit(*at, 10) ? std::nullopt : std::optional(value);  // 08 is no octal number
}

// a.b.c.d, and without `strict` a.b.c, a.b and a, whose last part fills the bytes that are left. In host order.
template <class Char>
std::optional<std::uint32_t> parse_ipv4(const Char*& at, bool strict) {
  std::uint64_t address = 0;
  for (unsigned parts = 1;; ++parts) {
    const auto part = ipv4_part(at, strict);
    if (!part) return std::nullopt;
    if (parts == 4 || *at != '.') {
      const unsigned bits_left = 8 * (5 - parts);
      if ((strict && parts != 4) || *part >> bits_left != 0) return std::nullopt;
      return static_cast<std::uint32_t>(address << bits_left | *part);
    }
    if (*part > 0xff) return std::nullopt;
    address = address << 8 | *part;
    ++at;
  }
}

using Groups = std::array<std::uint16_t, 8>;

// One group of up to four hexadecimal digits; moves `at` past it. Nothing: no digit, or a fifth one.
template <class Char>
std::optional<std::uint16_t> ipv6_group(const Char*& at) {
  unsigned value = 0, digits = 0;
  for (; const auto next = digit(*at, 16); ++at, ++digits) {
    if (digits == 4) return std::nullopt;
    value = value << 4 | *next;
  }
  return digits != 0 ? std::optional(static_cast<std::uint16_t>(value)) : std::nullopt;
}

// The groups in their places: `::` stands for as many zeros as are missing, before the group number `gap`.
Groups spread(const Groups& written, std::size_t count, std::size_t gap) {
  Groups whole{};
  for (std::size_t i = 0; i < gap; ++i) whole[i] = written[i];
  for (std::size_t i = gap; i < count; ++i) whole[whole.size() - count + i] = written[i];
  return whole;
}

// The groups before and after `::`, and where that was; the last two may be written as an IPv4 address.
template <class Char>
std::optional<Groups> parse_ipv6(const Char*& at) {
  Groups groups{};
  std::size_t count = 0;
  std::optional<std::size_t> gap;
  const auto skip_gap = [&] {
    if (at[0] != ':' || at[1] != ':') return false;
    gap = count;
    at += 2;
    return true;
  };
  skip_gap();
  while (count < groups.size() && digit(*at, 16)) {
    const Char* const start = at;
    const auto group = ipv6_group(at);
    if (!group) return std::nullopt;
    if (*at == '.' && count <= 6) {
      at = start;
      const auto ipv4 = parse_ipv4(at, true);
      if (!ipv4) return std::nullopt;
      groups[count++] = static_cast<std::uint16_t>(*ipv4 >> 16);
      groups[count++] = static_cast<std::uint16_t>(*ipv4);
      break;
    }
    groups[count++] = *group;
    if (at[0] == ':' && at[1] == ':' && gap) return std::nullopt;  // a second one
    if (skip_gap()) continue;
    if (at[0] != ':' || count == groups.size() || !digit(at[1], 16)) break;
    ++at;
  }
  if (gap ? count == groups.size() : count != groups.size()) return std::nullopt;
  return gap ? spread(groups, count, *gap) : groups;
}

template <class Char>
NTSTATUS to_address(const Char* text, bool strict, const Char** terminator, IN_ADDR* address) {
  const auto parsed = parse_ipv4(text, strict);
  *terminator = text;
  if (!parsed) return STATUS_INVALID_PARAMETER;
  address->s_addr = __builtin_bswap32(*parsed);
  return STATUS_SUCCESS;
}

template <class Char>
NTSTATUS to_address(const Char* text, const Char** terminator, IN6_ADDR* address) {
  const auto parsed = parse_ipv6(text);
  *terminator = text;
  if (!parsed) return STATUS_INVALID_PARAMETER;
  for (std::size_t i = 0; i < parsed->size(); ++i) address->s6_words[i] = __builtin_bswap16((*parsed)[i]);
  return STATUS_SUCCESS;
}

// --- to text -------------------------------------------------------------------------------------------------------

template <class Char>
Char* put_number(Char* out, unsigned value, unsigned base) {
  if (value >= base) out = put_number(out, value / base, base);
  *out = static_cast<Char>("0123456789abcdef"[value % base]);
  return out + 1;
}

template <class Char>
Char* put_ipv4(Char* out, const UCHAR* bytes) {
  for (int i = 0; i < 4; ++i) {
    if (i != 0) *out++ = '.';
    out = put_number(out, bytes[i], 10);
  }
  return out;
}

// Addresses that carry an IPv4 address in their last 32 bits: compatible, mapped, translated and ISATAP ones.
bool shows_ipv4(const Groups& groups) {
  const auto zeros = [&](std::size_t until) {
    for (std::size_t i = 0; i < until; ++i)
      if (groups[i] != 0) return false;
    return true;
  };
  if (zeros(6)) return groups[6] != 0;
  if (zeros(5)) return groups[5] == 0xffff;
  if (zeros(4)) return groups[4] == 0xffff && groups[5] == 0;
  return (groups[4] & 0xfdff) == 0 && groups[5] == 0x5efe;
}

// The first of the longest runs of zero groups; a single one is written out.
struct Run {
  std::size_t start = 0, size = 0;
};
Run longest_zeros(const Groups& groups, std::size_t count) {
  Run best, run;
  for (std::size_t i = 0; i < count; ++i) {
    run = groups[i] != 0 ? Run{i + 1, 0} : Run{run.start, run.size + 1};
    if (run.size > best.size) best = run;
  }
  return best.size > 1 ? best : Run{};
}

template <class Char>
Char* put_ipv6(Char* out, const IN6_ADDR& address) {
  Groups groups;
  for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = __builtin_bswap16(address.s6_words[i]);
  const bool ends_in_ipv4 = shows_ipv4(groups);
  const std::size_t count = ends_in_ipv4 ? 6 : groups.size();
  const Run zeros = longest_zeros(groups, count);
  for (std::size_t i = 0; i < count; ++i) {
    if (zeros.size != 0 && i == zeros.start) {
      *out++ = ':';
      *out++ = ':';
      i += zeros.size - 1;
      continue;
    }
    if (i != 0 && (zeros.size == 0 || i != zeros.start + zeros.size)) *out++ = ':';
    out = put_number(out, groups[i], 16);
  }
  if (!ends_in_ipv4) return out;
  if (zeros.start + zeros.size != count) *out++ = ':';
  return put_ipv4(out, address.s6_bytes + 12);
}

template <class Char>
Char* end(Char* at) {
  *at = 0;
  return at;
}

}  // namespace

extern "C" {

PSTR NTAPI RtlIpv4AddressToStringA(const IN_ADDR* Addr, PSTR S) {
  REQUIRE_ARGUMENT(Addr);
  REQUIRE_ARGUMENT(S);
  return end(put_ipv4(S, &Addr->S_un.S_un_b.s_b1));
}
PWSTR NTAPI RtlIpv4AddressToStringW(const IN_ADDR* Addr, PWSTR S) {
  REQUIRE_ARGUMENT(Addr);
  REQUIRE_ARGUMENT(S);
  return end(put_ipv4(S, &Addr->S_un.S_un_b.s_b1));
}
PSTR NTAPI RtlIpv6AddressToStringA(const IN6_ADDR* Addr, PSTR S) {
  REQUIRE_ARGUMENT(Addr);
  REQUIRE_ARGUMENT(S);
  return end(put_ipv6(S, *Addr));
}
PWSTR NTAPI RtlIpv6AddressToStringW(const IN6_ADDR* Addr, PWSTR S) {
  REQUIRE_ARGUMENT(Addr);
  REQUIRE_ARGUMENT(S);
  return end(put_ipv6(S, *Addr));
}

NTSTATUS NTAPI RtlIpv4StringToAddressA(PCSTR S, BOOLEAN Strict, PCSTR* Terminator, IN_ADDR* Addr) {
  REQUIRE_ARGUMENT(S);
  REQUIRE_ARGUMENT(Terminator);
  REQUIRE_ARGUMENT(Addr);
  return to_address(S, Strict != FALSE, Terminator, Addr);
}
NTSTATUS NTAPI RtlIpv4StringToAddressW(PCWSTR S, BOOLEAN Strict, PCWSTR* Terminator, IN_ADDR* Addr) {
  REQUIRE_ARGUMENT(S);
  REQUIRE_ARGUMENT(Terminator);
  REQUIRE_ARGUMENT(Addr);
  return to_address(S, Strict != FALSE, Terminator, Addr);
}
NTSTATUS NTAPI RtlIpv6StringToAddressA(PCSTR S, PCSTR* Terminator, IN6_ADDR* Addr) {
  REQUIRE_ARGUMENT(S);
  REQUIRE_ARGUMENT(Terminator);
  REQUIRE_ARGUMENT(Addr);
  return to_address(S, Terminator, Addr);
}
NTSTATUS NTAPI RtlIpv6StringToAddressW(PCWSTR S, PCWSTR* Terminator, IN6_ADDR* Addr) {
  REQUIRE_ARGUMENT(S);
  REQUIRE_ARGUMENT(Terminator);
  REQUIRE_ARGUMENT(Addr);
  return to_address(S, Terminator, Addr);
}

}  // extern "C"
