#include "stack/ip/path_mtu.hpp"

#include <algorithm>
#include <array>

namespace stack::ip {
namespace {

// RFC 1191 7.1: sizes that links have, for routers that do not tell theirs.
std::uint32_t plateau_below(std::uint32_t size) {
  constexpr std::array<std::uint32_t, 9> kPlateaus{32'000, 17'914, 8'166, 4'352, 2'002, 1'492, 1'006, 552, 0};
  return *std::ranges::find_if(kPlateaus, [size](std::uint32_t plateau) { return plateau < size; });
}

}  // namespace

std::optional<std::uint32_t> PathMtuCache::on_too_big(const IpAddress& remote, std::uint32_t reported,
                                                      std::uint32_t failed_size, Instant now) {
  const bool v4 = remote.is_v4();
  const std::uint32_t told = v4 && reported == 0 ? plateau_below(failed_size) : reported;
  if (told >= failed_size || (!v4 && told < kMinV6)) return std::nullopt;
  const std::uint32_t mtu = v4 ? std::max(told, kMinV4) : told;
  const auto found = entries_.find(remote);
  if (found != entries_.end() && found->second.mtu <= mtu) return found->second.mtu;  // never raised by an error
  if (found == entries_.end() && entries_.size() >= kMaxEntries) {
    const auto oldest = std::ranges::min_element(entries_, {}, [](const auto& e) { return e.second.expires; });
    entries_.erase(oldest);
  }
  entries_[remote] = Entry{mtu, now + kAge};
  next_expiry_ = std::min(next_expiry_, now + kAge);
  ++generation_;
  return mtu;
}

std::uint32_t PathMtuCache::mtu(const IpAddress& remote, std::uint32_t interface_mtu) const {
  if (entries_.empty()) return interface_mtu;
  const auto found = entries_.find(remote);
  return found == entries_.end() ? interface_mtu : std::min(interface_mtu, found->second.mtu);
}

void PathMtuCache::expire(Instant now) {
  if (now < next_expiry_) return;
  if (std::erase_if(entries_, [now](const auto& entry) { return entry.second.expires <= now; }) > 0) ++generation_;
  next_expiry_ = kNever;
  for (const auto& [_, entry] : entries_) next_expiry_ = std::min(next_expiry_, entry.expires);
}

}  // namespace stack::ip
