// A value of the filtering platform that owns what it points to: the engine's own copy of an FWP_VALUE0. And
// comparison of a classify's FWP_VALUE0 with such a copy. Any thread, any IRQL; copying allocates.
//
// Numbers, addresses and ports are in host order. Strings are compared by UTF-16 code unit; without regard to case
// means ASCII case (README).
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "fwpm/values.h"
#include "nt/ntstatus.h"

namespace wfp::model {

inline constexpr std::uint32_t kMaxBlobBytes = 64 * 1024;        // of one value
inline constexpr std::uint32_t kMaxStringUnits = 32 * 1024 - 1;  // UTF-16 code units

struct Value {
  FWP_DATA_TYPE type = FWP_EMPTY;
  std::uint64_t number = 0;         // integers, sign-extended where signed; the bits of a float or double
  std::vector<std::uint8_t> bytes;  // arrays, blobs, SIDs, security descriptors; strings with their terminator
  FWP_BYTE_BLOB blob{};             // of view()

  // STATUS_FWP_NULL_POINTER, STATUS_FWP_OUT_OF_BOUNDS (too long), STATUS_FWP_TYPE_MISMATCH (no such type).
  static NTSTATUS copy(const FWP_VALUE0& from, Value& into);
  // As Windows shows it; points into this object, which must not move meanwhile.
  FWP_VALUE0 view();
};

bool is_unsigned_integer(FWP_DATA_TYPE type);
bool is_signed_integer(FWP_DATA_TYPE type);
bool is_ordered(FWP_DATA_TYPE type);  // GREATER, LESS and RANGE make sense

// Unordered when the types differ, or where only equality is defined.
std::partial_ordering compare(const FWP_VALUE0& left, const Value& right);
bool is_equal(const FWP_VALUE0& left, const Value& right);
bool is_equal_ignoring_case(const FWP_VALUE0& left, const Value& right);
// True when `left`, a string or a blob that holds one, ends with `right`: what FWP_MATCH_PREFIX is documented to
// test.
bool ends_with(const FWP_VALUE0& left, const Value& right);

std::size_t sid_size(const SID* sid);  // bytes, from its own count

}  // namespace wfp::model
