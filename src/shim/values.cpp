#include "src/shim/values.hpp"

#include "src/shim/sid.hpp"
#include "stack/base/assert.hpp"

namespace shim {
namespace {

FWP_VALUE0 make8(std::uint8_t number) {
  FWP_VALUE0 value{};
  value.type = FWP_UINT8;
  value.uint8 = number;
  return value;
}
FWP_VALUE0 make16(std::uint16_t number) {
  FWP_VALUE0 value{};
  value.type = FWP_UINT16;
  value.uint16 = number;
  return value;
}
FWP_VALUE0 make32(std::uint32_t number) {
  FWP_VALUE0 value{};
  value.type = FWP_UINT32;
  value.uint32 = number;
  return value;
}
FWP_VALUE0 make64(UINT64* number) {
  FWP_VALUE0 value{};
  value.type = FWP_UINT64;
  value.uint64 = number;
  return value;
}

}  // namespace

class FieldWriter {
 public:
  FieldWriter(Values& values, const Facts& facts, const Interfaces& interfaces)
      : values_(values), facts_(facts), interface_(interfaces.find(facts.interface_index)) {
    values_.local_interface_ = interfaces.find(facts.local_interface_index).luid;
    values_.interface_ = interface_.luid;
  }

  FWP_VALUE0 write(Show show) {
    using enum Show;
    switch (show) {
      case Nothing:
        return {};
      case Zero32:
        return make32(0);
      case Zero64:
        return make64(&values_.zero_);
      case Protocol:
        return make8(facts_.protocol);
      case LocalAddress:
        return address(facts_.local, values_.local_address_);
      case RemoteAddress:
        return address(facts_.remote, values_.remote_address_);
      case LocalAddressType:
        return kind(facts_.local_kind);
      case DestinationAddressType:
        return kind(is_outbound() ? facts_.remote_kind : facts_.local_kind);
      case LocalPort:
        return make16(facts_.local_port);
      case RemotePort:
        return make16(facts_.remote_port);
      case LocalInterface:
        return make64(&values_.local_interface_);
      case Interface:
        return make64(&values_.interface_);
      case InterfaceIndex:
        return make32(facts_.interface_index);
      case InterfaceType:
        return make32(interface_.type);
      case Flags:
        return make32(facts_.condition_flags);
      case Direction:
        return make32(is_outbound() ? FWP_DIRECTION_OUTBOUND : FWP_DIRECTION_INBOUND);
      case Compartment:
        return make32(kCompartmentId);
      case AppId:
        return app_id();
      case PackageId:
        return package_id();
      case ReauthorizeReason:
        return make32(facts_.reauthorize_reason);
      case OriginalIcmpType:
        return make16(facts_.icmp_type);
    }
    CHECK(false);
    return {};
  }

 private:
  bool is_outbound() const { return facts_.direction == stack::Direction::Outbound; }

  // The numbers of NL_ADDRESS_TYPE are those of stack::AddressKind.
  static FWP_VALUE0 kind(stack::AddressKind of) { return make8(static_cast<std::uint8_t>(of)); }

  FWP_VALUE0 address(const stack::IpAddress& address, FWP_BYTE_ARRAY16& storage) const {
    if (facts_.family == stack::Family::V4) return make32(address.v4_host_order());
    const stack::Bytes bytes = address.bytes();
    for (std::size_t i = 0; i < bytes.size(); ++i) storage.byteArray16[i] = std::to_integer<UINT8>(bytes[i]);
    FWP_VALUE0 value{};
    value.type = FWP_BYTE_ARRAY16_TYPE;
    value.byteArray16 = &storage;
    return value;
  }

  // The path in UTF-16 with its terminator, as the documented application identifier is.
  FWP_VALUE0 app_id() {
    if (facts_.owner == nullptr) return {};
    const std::u16string& path = facts_.owner->process_path;
    values_.app_id_.size = static_cast<UINT32>((path.size() + 1) * sizeof(char16_t));
    values_.app_id_.data = reinterpret_cast<UINT8*>(const_cast<char16_t*>(path.c_str()));
    FWP_VALUE0 value{};
    value.type = FWP_BYTE_BLOB_TYPE;
    value.byteBlob = &values_.app_id_;
    return value;
  }

  FWP_VALUE0 package_id() {
    write_sid(facts_.owner == nullptr ? std::string_view{} : facts_.owner->package_sid, values_.package_sid_);
    FWP_VALUE0 value{};
    value.type = FWP_SID;
    value.sid = reinterpret_cast<SID*>(values_.package_sid_.data());
    return value;
  }

  Values& values_;
  const Facts& facts_;
  const InterfaceFacts& interface_;
};

Values::Values(LayerPair pair, const Facts& facts, const Interfaces& interfaces) {
  const auto fields = fields_of(pair);
  FieldWriter writer(*this, facts, interfaces);
  for (std::size_t i = 0; i < fields.size(); ++i) array_[i].value = writer.write(fields[i]);
  values_.layerId = layer_id(pair, facts.family);
  values_.valueCount = static_cast<UINT32>(fields.size());
  values_.incomingValue = array_.data();
}

}  // namespace shim
