// Path MTUs below the interface's own, learned from ICMP (RFC 1191, RFC 8201). Bounded; an entry ages out after
// kAge, which is when a larger packet is tried again. Used on the stack's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "stack/base/address.hpp"
#include "stack/base/hash.hpp"
#include "stack/base/time.hpp"

namespace stack::ip {

struct AddressHash {
  SipKey key;
  std::size_t operator()(const IpAddress& address) const {
    return static_cast<std::size_t>(siphash(key, address.bytes()));
  }
};

class PathMtuCache {
 public:
  static constexpr std::size_t kMaxEntries = 4096;
  static constexpr Duration kAge = 10min;  // RFC 1191 6.3, RFC 8201 5.3
  // The least that is taken, by other hosts too: below it somebody is lying (RFC 5927 7.2), or a link of 1980 is in the
  // way, which a report must not make unusable. So packets keep this size and may be fragmented on their way.
  static constexpr std::uint32_t kMinV4 = 552;
  static constexpr std::uint32_t kMinV6 = 1280;  // RFC 8201 4

  explicit PathMtuCache(SipKey key) : entries_(16, AddressHash{key}) {}

  // An ICMP error says that packets of `failed_size` bytes to `remote` are too big. `reported` 0: a router older than
  // RFC 1191; the next plateau below is taken. Returns the MTU that holds now; nothing when the error is implausible:
  // it reports no less than what was sent, or, for IPv6, less than every link must take (RFC 8201 4).
  std::optional<std::uint32_t> on_too_big(const IpAddress& remote, std::uint32_t reported, std::uint32_t failed_size,
                                          Instant now);
  struct Path {
    std::uint32_t mtu = 0;
    bool may_fragment = false;  // IPv4: a router asked for less than kMinV4; packets go without DF (RFC 1191 3)
  };
  Path path(const IpAddress& remote, std::uint32_t interface_mtu) const;
  void expire(Instant now);
  Instant next_deadline() const { return next_expiry_; }
  std::size_t size() const { return entries_.size(); }
  std::uint32_t generation() const { return generation_; }  // counts changes

 private:
  struct Entry {
    Path path;
    Instant expires;
  };
  std::unordered_map<IpAddress, Entry, AddressHash> entries_;
  Instant next_expiry_ = kNever;
  std::uint32_t generation_ = 0;
};

}  // namespace stack::ip
