// The interfaces of the host as WFP names them: by index, by LUID and by type. Told by whoever builds the node.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace shim {

// Types of the IANA list that Windows uses (IF_TYPE_*).
inline constexpr std::uint32_t kIfTypeEthernet = 6;
inline constexpr std::uint32_t kIfTypeLoopback = 24;
inline constexpr std::uint32_t kIfTypeVirtual = 53;  // a TUN device has no frames

struct InterfaceFacts {
  std::uint32_t index = 0;
  std::uint32_t type = 0;
  std::uint64_t luid = 0;
};

class Interfaces {
 public:
  static constexpr std::size_t kLimit = 8;

  // Later ones beyond the limit are not known and show zeros.
  void add(std::uint32_t index, std::uint32_t type) {
    if (count_ < kLimit) table_[count_++] = {index, type, luid_of(index, type)};
  }
  const InterfaceFacts& find(std::uint32_t index) const {
    for (std::size_t i = 0; i < count_; ++i)
      if (table_[i].index == index) return table_[i];
    return kNone;
  }
  // NET_LUID: bits 63..48 the type, 47..24 a number that is unique within the type, the rest reserved.
  static constexpr std::uint64_t luid_of(std::uint32_t index, std::uint32_t type) {
    return std::uint64_t{type} << 48 | std::uint64_t{index & 0xff'ffff} << 24;
  }

 private:
  static constexpr InterfaceFacts kNone{};
  std::array<InterfaceFacts, kLimit> table_{};
  std::size_t count_ = 0;
};

}  // namespace shim
