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
  Path path{.mtu = v4 ? std::max(told, kMinV4) : told, .may_fragment = v4 && told < kMinV4};
  const auto found = entries_.find(remote);
  if (found != entries_.end()) {  // never raised by an error
    const Path& known = found->second.path;
    if (known.mtu <= path.mtu && known.may_fragment >= path.may_fragment) return known.mtu;
    path = {.mtu = std::min(known.mtu, path.mtu), .may_fragment = known.may_fragment || path.may_fragment};
  }
  if (found == entries_.end() && entries_.size() >= kMaxEntries) {
    const auto oldest = std::ranges::min_element(entries_, {}, [](const auto& e) { return e.second.expires; });
    entries_.erase(oldest);
  }
  entries_[remote] = Entry{path, now + kAge};
  next_expiry_ = std::min(next_expiry_, now + kAge);
  ++generation_;
  return path.mtu;
}

PathMtuCache::Path PathMtuCache::path(const IpAddress& remote, std::uint32_t interface_mtu) const {
  if (entries_.empty()) return {.mtu = interface_mtu};
  const auto found = entries_.find(remote);
  if (found == entries_.end()) return {.mtu = interface_mtu};
  return {.mtu = std::min(interface_mtu, found->second.path.mtu), .may_fragment = found->second.path.may_fragment};
}

void PathMtuCache::expire(Instant now) {
  if (now < next_expiry_) return;
  if (std::erase_if(entries_, [now](const auto& entry) { return entry.second.expires <= now; }) > 0) ++generation_;
  next_expiry_ = kNever;
  for (const auto& [_, entry] : entries_) next_expiry_ = std::min(next_expiry_, entry.expires);
}

}  // namespace stack::ip
