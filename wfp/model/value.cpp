#include "wfp/model/value.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "nt/sid.h"

namespace wfp::model {
namespace {

struct Span {
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
};

std::size_t string_units(const WCHAR* text) {
  std::size_t units = 0;
  while (units <= kMaxStringUnits && text[units] != 0) ++units;
  return units;
}

// The bytes of a type that is compared as bytes; strings without their terminator.
Span bytes_of(const FWP_VALUE0& value) {
  switch (value.type) {
    case FWP_BYTE_ARRAY16_TYPE:
      return value.byteArray16 ? Span{value.byteArray16->byteArray16, 16} : Span{};
    case FWP_BYTE_ARRAY6_TYPE:
      return value.byteArray6 ? Span{value.byteArray6->byteArray6, 6} : Span{};
    case FWP_BITMAP_ARRAY64_TYPE:
      return value.bitmapArray64 ? Span{value.bitmapArray64->bitmapArray64, 8} : Span{};
    case FWP_BYTE_BLOB_TYPE:
    case FWP_SECURITY_DESCRIPTOR_TYPE:
    case FWP_TOKEN_ACCESS_INFORMATION_TYPE:
      return value.byteBlob ? Span{value.byteBlob->data, value.byteBlob->size} : Span{};
    case FWP_SID:
      return value.sid ? Span{reinterpret_cast<const std::uint8_t*>(value.sid), sid_size(value.sid)} : Span{};
    case FWP_UNICODE_STRING_TYPE:
      if (value.unicodeString == nullptr) return {};
      return {reinterpret_cast<const std::uint8_t*>(value.unicodeString), string_units(value.unicodeString) * 2};
    default:
      return {};
  }
}

Span bytes_of(const Value& value) {
  const std::size_t terminator = value.type == FWP_UNICODE_STRING_TYPE && value.bytes.size() >= 2 ? 2 : 0;
  return {value.bytes.data(), value.bytes.size() - terminator};
}

template <typename T>
bool load(const T* from, std::uint64_t& into) {
  if (from == nullptr) return false;
  into = static_cast<std::uint64_t>(*from);
  return true;
}

// False: a pointer is missing or the type is no number.
bool number_of(const FWP_VALUE0& value, std::uint64_t& number) {
  switch (value.type) {
    case FWP_UINT8:
      return load(&value.uint8, number);
    case FWP_UINT16:
      return load(&value.uint16, number);
    case FWP_UINT32:
      return load(&value.uint32, number);
    case FWP_UINT64:
      return load(value.uint64, number);
    case FWP_INT8:
      number = static_cast<std::uint64_t>(std::int64_t{value.int8});
      return true;
    case FWP_INT16:
      return load(&value.int16, number);
    case FWP_INT32:
      return load(&value.int32, number);
    case FWP_INT64:
      return load(value.int64, number);
    case FWP_BITMAP_INDEX_TYPE:
      return load(&value.uint8, number);
    case FWP_FLOAT:
      number = std::bit_cast<std::uint32_t>(value.float32);
      return true;
    case FWP_DOUBLE:
      if (value.double64 == nullptr) return false;
      number = std::bit_cast<std::uint64_t>(*value.double64);
      return true;
    default:
      return false;
  }
}

bool is_number(FWP_DATA_TYPE type) {
  return (type >= FWP_UINT8 && type <= FWP_DOUBLE) || type == FWP_BITMAP_INDEX_TYPE;
}

double real_of(FWP_DATA_TYPE type, std::uint64_t bits) {
  return type == FWP_FLOAT ? double{std::bit_cast<float>(static_cast<std::uint32_t>(bits))}
                           : std::bit_cast<double>(bits);
}

WCHAR unit_at(Span text, std::size_t index) {
  return static_cast<WCHAR>(text.data[2 * index] | text.data[2 * index + 1] << 8);
}

WCHAR folded(WCHAR unit) { return unit >= u'A' && unit <= u'Z' ? static_cast<WCHAR>(unit + 32) : unit; }

// Strings are ordered by code unit, everything else by byte.
std::partial_ordering compare_bytes(FWP_DATA_TYPE type, Span left, Span right) {
  if (type == FWP_UNICODE_STRING_TYPE) {
    const std::size_t common = std::min(left.size, right.size) / 2;
    for (std::size_t i = 0; i < common; ++i)
      if (unit_at(left, i) != unit_at(right, i)) return unit_at(left, i) <=> unit_at(right, i);
    return left.size <=> right.size;
  }
  const std::size_t common = std::min(left.size, right.size);
  const int order = common == 0 ? 0 : std::memcmp(left.data, right.data, common);
  if (order != 0) return order <=> 0;
  return left.size <=> right.size;
}

}  // namespace

std::size_t sid_size(const SID* sid) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(sid);
  return 8 + std::size_t{4} * bytes[1];  // revision, count, six bytes of authority, then `count` sub-authorities
}

NTSTATUS Value::copy(const FWP_VALUE0& from, Value& into) {
  into = Value{};
  if (from.type != FWP_EMPTY && !is_number(from.type) &&
      (from.type > FWP_BITMAP_ARRAY64_TYPE || from.type == FWP_TOKEN_INFORMATION_TYPE))
    return STATUS_FWP_TYPE_MISMATCH;
  into.type = from.type;
  if (from.type == FWP_EMPTY) return STATUS_SUCCESS;
  if (is_number(from.type)) return number_of(from, into.number) ? STATUS_SUCCESS : STATUS_FWP_NULL_POINTER;
  if (from.byteBlob == nullptr) return STATUS_FWP_NULL_POINTER;  // all the others are pointers
  if (from.type == FWP_SID && from.sid->SubAuthorityCount > SID_MAX_SUB_AUTHORITIES) return STATUS_FWP_OUT_OF_BOUNDS;
  const Span span = bytes_of(from);
  if (span.data == nullptr && span.size != 0) return STATUS_FWP_NULL_POINTER;
  if (span.size > kMaxBlobBytes || (from.type == FWP_UNICODE_STRING_TYPE && span.size > 2 * kMaxStringUnits))
    return STATUS_FWP_OUT_OF_BOUNDS;
  if (span.size != 0) into.bytes.assign(span.data, span.data + span.size);
  if (from.type == FWP_UNICODE_STRING_TYPE) into.bytes.insert(into.bytes.end(), {0, 0});
  return STATUS_SUCCESS;
}

FWP_VALUE0 Value::view() {
  FWP_VALUE0 out{};
  out.type = type;
  switch (type) {
    case FWP_UINT8:
    case FWP_BITMAP_INDEX_TYPE:
      out.uint8 = static_cast<UINT8>(number);
      break;
    case FWP_INT8:
      out.int8 = static_cast<INT8>(number);
      break;
    case FWP_UINT16:
    case FWP_INT16:
      out.uint16 = static_cast<UINT16>(number);
      break;
    case FWP_UINT32:
    case FWP_INT32:
    case FWP_FLOAT:
      out.uint32 = static_cast<UINT32>(number);
      break;
    case FWP_UINT64:
    case FWP_INT64:
    case FWP_DOUBLE:
      out.uint64 = &number;
      break;
    case FWP_BYTE_BLOB_TYPE:
    case FWP_SECURITY_DESCRIPTOR_TYPE:
    case FWP_TOKEN_ACCESS_INFORMATION_TYPE:
      blob = {static_cast<UINT32>(bytes.size()), bytes.data()};
      out.byteBlob = &blob;
      break;
    case FWP_EMPTY:
      break;
    default:
      out.byteArray16 = reinterpret_cast<FWP_BYTE_ARRAY16*>(bytes.data());
      break;
  }
  return out;
}

bool is_unsigned_integer(FWP_DATA_TYPE type) { return type >= FWP_UINT8 && type <= FWP_UINT64; }
bool is_signed_integer(FWP_DATA_TYPE type) { return type >= FWP_INT8 && type <= FWP_INT64; }
bool is_ordered(FWP_DATA_TYPE type) {
  return is_unsigned_integer(type) || is_signed_integer(type) || type == FWP_FLOAT || type == FWP_DOUBLE ||
         type == FWP_BYTE_ARRAY16_TYPE || type == FWP_BYTE_BLOB_TYPE || type == FWP_UNICODE_STRING_TYPE;
}

std::partial_ordering compare(const FWP_VALUE0& left, const Value& right) {
  if (left.type != right.type || !is_ordered(right.type)) return std::partial_ordering::unordered;
  if (!is_number(right.type)) return compare_bytes(right.type, bytes_of(left), bytes_of(right));
  std::uint64_t number = 0;
  if (!number_of(left, number)) return std::partial_ordering::unordered;
  if (is_signed_integer(right.type))
    return static_cast<std::int64_t>(number) <=> static_cast<std::int64_t>(right.number);
  if (is_unsigned_integer(right.type)) return number <=> right.number;
  return real_of(right.type, number) <=> real_of(right.type, right.number);
}

bool is_equal(const FWP_VALUE0& left, const Value& right) {
  if (left.type != right.type) return false;
  if (right.type == FWP_EMPTY) return true;
  if (is_ordered(right.type)) return compare(left, right) == 0;
  std::uint64_t number = 0;
  if (is_number(right.type)) return number_of(left, number) && number == right.number;
  const Span span = bytes_of(left);
  return span.data != nullptr && compare_bytes(right.type, span, bytes_of(right)) == 0;
}

bool is_equal_ignoring_case(const FWP_VALUE0& left, const Value& right) {
  if (left.type != FWP_UNICODE_STRING_TYPE || right.type != left.type) return false;
  const Span a = bytes_of(left), b = bytes_of(right);
  if (a.size != b.size) return false;
  for (std::size_t i = 0; i < a.size / 2; ++i)
    if (folded(unit_at(a, i)) != folded(unit_at(b, i))) return false;
  return true;
}

bool ends_with(const FWP_VALUE0& left, const Value& right) {
  if (left.type != right.type) return false;
  Span whole = bytes_of(left), end = bytes_of(right);
  const auto drop_terminator = [](Span& text) {  // a blob that holds a string usually carries it
    if (text.size >= 2 && unit_at(text, text.size / 2 - 1) == 0) text.size -= 2;
  };
  if (left.type == FWP_BYTE_BLOB_TYPE) {
    drop_terminator(whole);
    drop_terminator(end);
  }
  if (end.size > whole.size) return false;
  return end.size == 0 || std::memcmp(whole.data + whole.size - end.size, end.data, end.size) == 0;
}

}  // namespace wfp::model
