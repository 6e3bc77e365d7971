// A condition of a filter: which field, how it is compared, and with what. Checked once when a filter is added,
// tested at every classify without allocation. Any thread, any IRQL.
//
// Documented rule: the type of the condition must be the type of the field; nothing is converted. Exceptions: an IPv4
// address also compares with FWP_V4_ADDR_MASK, an IPv6 address with FWP_V6_ADDR_MASK, an ordered type with
// FWP_RANGE_TYPE. A value that is FWP_EMPTY matches only FWP_MATCH_EQUAL with FWP_EMPTY.
#pragma once

#include "fwpm/objects.h"
#include "wfp/model/layer.hpp"
#include "wfp/model/value.hpp"

namespace wfp::model {

struct ConditionValue {
  FWP_DATA_TYPE type = FWP_EMPTY;  // may be FWP_V4_ADDR_MASK, FWP_V6_ADDR_MASK or FWP_RANGE_TYPE
  Value low;                       // the value; the low end of a range; the address of a mask
  Value high;                      // the high end of a range
  FWP_V4_ADDR_AND_MASK v4{};
  FWP_V6_ADDR_AND_MASK v6{};
  FWP_RANGE0 range{};  // of view()

  FWP_CONDITION_VALUE0 view();  // points into this object
};

struct Condition {
  std::uint16_t field = kNoField;  // index at the layer
  FWP_MATCH_TYPE match = FWP_MATCH_EQUAL;
  ConditionValue value;

  // STATUS_FWP_CONDITION_NOT_FOUND (the layer has no such field), STATUS_FWP_TYPE_MISMATCH,
  // STATUS_FWP_MATCH_TYPE_MISMATCH, STATUS_FWP_INVALID_RANGE, STATUS_FWP_INVALID_NET_MASK, STATUS_FWP_NULL_POINTER,
  // STATUS_FWP_OUT_OF_BOUNDS, and STATUS_NOT_SUPPORTED for security descriptors, which nothing here can evaluate.
  static NTSTATUS copy(const FWPM_FILTER_CONDITION0& from, const Layer& layer, Condition& into);

  bool matches(const FWP_VALUE0& value) const;
};

}  // namespace wfp::model
