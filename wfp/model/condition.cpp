#include "wfp/model/condition.hpp"

#include <bit>
#include <cstring>

namespace wfp::model {
namespace {

// FWP_CONDITION_VALUE0 begins as FWP_VALUE0 does: same members for the types that both have.
FWP_VALUE0 as_value(const FWP_CONDITION_VALUE0& from) {
  FWP_VALUE0 out{};
  static_assert(sizeof(out) == sizeof(from));
  std::memcpy(&out, &from, sizeof(out));
  return out;
}

NTSTATUS copy_mask(const FWP_CONDITION_VALUE0& from, ConditionValue& into) {
  if (from.v4AddrMask == nullptr) return STATUS_FWP_NULL_POINTER;
  if (from.type == FWP_V4_ADDR_MASK) {
    into.v4 = *from.v4AddrMask;
    const UINT32 host_part = ~into.v4.mask;
    return (host_part & (host_part + 1)) == 0 ? STATUS_SUCCESS : STATUS_FWP_INVALID_NET_MASK;
  }
  into.v6 = *from.v6AddrMask;
  return into.v6.prefixLength <= 128 ? STATUS_SUCCESS : STATUS_FWP_INVALID_NET_MASK;
}

NTSTATUS copy_range(const FWP_CONDITION_VALUE0& from, ConditionValue& into) {
  if (from.rangeValue == nullptr) return STATUS_FWP_NULL_POINTER;
  if (from.rangeValue->valueLow.type != from.rangeValue->valueHigh.type) return STATUS_FWP_INVALID_RANGE;
  if (const NTSTATUS status = Value::copy(from.rangeValue->valueLow, into.low); !NT_SUCCESS(status)) return status;
  if (const NTSTATUS status = Value::copy(from.rangeValue->valueHigh, into.high); !NT_SUCCESS(status)) return status;
  const auto order = compare(from.rangeValue->valueLow, into.high);
  return order <= 0 ? STATUS_SUCCESS : STATUS_FWP_INVALID_RANGE;
}

NTSTATUS copy_condition_value(const FWP_CONDITION_VALUE0& from, ConditionValue& into) {
  into.type = from.type;
  switch (from.type) {
    case FWP_V4_ADDR_MASK:
    case FWP_V6_ADDR_MASK:
      return copy_mask(from, into);
    case FWP_RANGE_TYPE:
      return copy_range(from, into);
    default:
      return Value::copy(as_value(from), into.low);
  }
}

bool is_comparable(FWP_DATA_TYPE field, const ConditionValue& value) {
  if (value.type == FWP_EMPTY) return true;
  if (value.type == FWP_V4_ADDR_MASK) return field == FWP_UINT32;
  if (value.type == FWP_V6_ADDR_MASK) return field == FWP_BYTE_ARRAY16_TYPE;
  if (value.type == FWP_RANGE_TYPE) return field == value.low.type;
  return field == value.type;
}

bool is_string_like(FWP_DATA_TYPE type) { return type == FWP_UNICODE_STRING_TYPE || type == FWP_BYTE_BLOB_TYPE; }

// Which comparisons make sense with a value of this type.
bool is_match_allowed(FWP_MATCH_TYPE match, const ConditionValue& value) {
  const FWP_DATA_TYPE type = value.type;
  const bool is_mask = type == FWP_V4_ADDR_MASK || type == FWP_V6_ADDR_MASK;
  switch (match) {
    case FWP_MATCH_EQUAL:
      return type != FWP_RANGE_TYPE;
    case FWP_MATCH_NOT_EQUAL:
      return is_mask || is_ordered(type);
    case FWP_MATCH_GREATER:
    case FWP_MATCH_LESS:
    case FWP_MATCH_GREATER_OR_EQUAL:
    case FWP_MATCH_LESS_OR_EQUAL:
      return is_ordered(type);
    case FWP_MATCH_RANGE:
      return type == FWP_RANGE_TYPE && is_ordered(value.low.type);
    case FWP_MATCH_FLAGS_ALL_SET:
    case FWP_MATCH_FLAGS_ANY_SET:
    case FWP_MATCH_FLAGS_NONE_SET:
      return is_unsigned_integer(type);
    case FWP_MATCH_EQUAL_CASE_INSENSITIVE:
      return type == FWP_UNICODE_STRING_TYPE;
    case FWP_MATCH_PREFIX:
    case FWP_MATCH_NOT_PREFIX:
      return is_string_like(type);
    case FWP_MATCH_TYPE_MAX:
      break;
  }
  return false;
}

bool is_in_prefix(const FWP_VALUE0& value, const FWP_V6_ADDR_AND_MASK& prefix) {
  if (value.type != FWP_BYTE_ARRAY16_TYPE || value.byteArray16 == nullptr) return false;
  const UINT8* address = value.byteArray16->byteArray16;
  const std::size_t whole = prefix.prefixLength / 8u;
  if (std::memcmp(address, prefix.addr, whole) != 0) return false;
  const unsigned rest = prefix.prefixLength % 8u;
  return rest == 0 || ((address[whole] ^ prefix.addr[whole]) >> (8 - rest)) == 0;
}

bool is_equal_to(const FWP_VALUE0& value, const ConditionValue& with) {
  if (with.type == FWP_V4_ADDR_MASK)
    return value.type == FWP_UINT32 && (value.uint32 & with.v4.mask) == (with.v4.addr & with.v4.mask);
  if (with.type == FWP_V6_ADDR_MASK) return is_in_prefix(value, with.v6);
  return is_equal(value, with.low);
}

// The bits of an unsigned value that the condition names; false when the types differ.
bool common_flags(const FWP_VALUE0& value, const Value& with, std::uint64_t& common) {
  if (value.type != with.type) return false;
  Value copy;
  if (!NT_SUCCESS(Value::copy(value, copy))) return false;
  common = copy.number & with.number;
  return true;
}

}  // namespace

FWP_CONDITION_VALUE0 ConditionValue::view() {
  FWP_CONDITION_VALUE0 out{};
  if (type == FWP_V4_ADDR_MASK) {
    out.v4AddrMask = &v4;
  } else if (type == FWP_V6_ADDR_MASK) {
    out.v6AddrMask = &v6;
  } else if (type == FWP_RANGE_TYPE) {
    range = {low.view(), high.view()};
    out.rangeValue = &range;
  } else {
    const FWP_VALUE0 value = low.view();
    std::memcpy(&out, &value, sizeof(out));
  }
  out.type = type;
  return out;
}

NTSTATUS Condition::copy(const FWPM_FILTER_CONDITION0& from, const Layer& layer, Condition& into) {
  into.field = find_field(*layer.fields, from.fieldKey);
  into.match = from.matchType;
  if (into.field == kNoField) return STATUS_FWP_CONDITION_NOT_FOUND;
  if (const NTSTATUS status = copy_condition_value(from.conditionValue, into.value); !NT_SUCCESS(status))
    return status;
  if (into.value.type == FWP_SECURITY_DESCRIPTOR_TYPE) return STATUS_NOT_SUPPORTED;
  if (!is_match_allowed(into.match, into.value)) return STATUS_FWP_MATCH_TYPE_MISMATCH;
  const FieldType type = (*layer.fields)[into.field].type;
  return is_comparable(data_type(type, layer.family), into.value) ? STATUS_SUCCESS : STATUS_FWP_TYPE_MISMATCH;
}

bool Condition::matches(const FWP_VALUE0& incoming) const {
  if (incoming.type == FWP_EMPTY) return match == FWP_MATCH_EQUAL && value.type == FWP_EMPTY;
  std::uint64_t flags = 0;
  switch (match) {
    case FWP_MATCH_EQUAL:
      return is_equal_to(incoming, value);
    case FWP_MATCH_NOT_EQUAL: {
      const bool is_mask = value.type == FWP_V4_ADDR_MASK || value.type == FWP_V6_ADDR_MASK;
      return (is_mask || incoming.type == value.type) && !is_equal_to(incoming, value);
    }
    case FWP_MATCH_GREATER:
      return compare(incoming, value.low) > 0;
    case FWP_MATCH_LESS:
      return compare(incoming, value.low) < 0;
    case FWP_MATCH_GREATER_OR_EQUAL:
      return compare(incoming, value.low) >= 0;
    case FWP_MATCH_LESS_OR_EQUAL:
      return compare(incoming, value.low) <= 0;
    case FWP_MATCH_RANGE:
      return compare(incoming, value.low) >= 0 && compare(incoming, value.high) <= 0;
    case FWP_MATCH_FLAGS_ALL_SET:
      return common_flags(incoming, value.low, flags) && flags == value.low.number;
    case FWP_MATCH_FLAGS_ANY_SET:
      return common_flags(incoming, value.low, flags) && flags != 0;
    case FWP_MATCH_FLAGS_NONE_SET:
      return common_flags(incoming, value.low, flags) && flags == 0;
    case FWP_MATCH_EQUAL_CASE_INSENSITIVE:
      return is_equal_ignoring_case(incoming, value.low);
    case FWP_MATCH_PREFIX:
      return ends_with(incoming, value.low);
    case FWP_MATCH_NOT_PREFIX:
      return incoming.type == value.low.type && !ends_with(incoming, value.low);
    case FWP_MATCH_TYPE_MAX:
      break;
  }
  return false;
}

}  // namespace wfp::model
