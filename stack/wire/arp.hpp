// ARP for Ethernet and IPv4 (RFC 826). Other hardware or protocol types are BadOption: nobody here speaks them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stack/base/address.hpp"
#include "stack/base/bytes.hpp"
#include "stack/base/result.hpp"

namespace stack::wire {

enum class ArpOperation : std::uint16_t { Request = 1, Reply = 2 };

class ArpView {
 public:
  static constexpr std::size_t kSize = 28;

  // TruncatedHeader; BadOption: not Ethernet and IPv4, or neither request nor reply. Padding behind is ignored.
  static Result<ArpView> parse(Bytes packet);

  ArpOperation operation() const { return ArpOperation{load_be16(bytes_, 6)}; }
  MacAddress sender_mac() const { return MacAddress::from(bytes_.subspan(8, 6)); }
  IpAddress sender_ip() const { return IpAddress::v4(bytes_.subspan(14, 4)); }
  MacAddress target_mac() const { return MacAddress::from(bytes_.subspan(18, 6)); }
  IpAddress target_ip() const { return IpAddress::v4(bytes_.subspan(24, 4)); }

 private:
  explicit ArpView(Bytes bytes) : bytes_(bytes) {}
  Bytes bytes_;
};

struct ArpFields {
  ArpOperation operation = ArpOperation::Request;
  MacAddress sender_mac{};
  IpAddress sender_ip{};
  MacAddress target_mac{};
  IpAddress target_ip{};

  static constexpr std::size_t size() { return ArpView::kSize; }
  void emit(MutableBytes into) const;
};

}  // namespace stack::wire
