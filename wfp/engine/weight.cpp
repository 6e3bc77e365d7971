#include "wfp/engine/weight.hpp"

#include <algorithm>
#include <bit>

namespace wfp::engine {
namespace {

constexpr unsigned kFieldShift = 48, kBitsShift = 24;
constexpr std::uint64_t kMaxRange = 15;
constexpr std::uint64_t kVague = 1;  // bits that a comparison other than for equality is worth
static_assert(static_cast<std::uint64_t>(model::kMaxConditions) << kFieldShift < FWPM_AUTO_WEIGHT_MAX);

std::uint64_t bits_of(const model::Value& value) {
  switch (value.type) {
    case FWP_EMPTY:
      return kVague;
    case FWP_UINT8:
    case FWP_INT8:
      return 8;
    case FWP_UINT16:
    case FWP_INT16:
      return 16;
    case FWP_UINT32:
    case FWP_INT32:
    case FWP_FLOAT:
      return 32;
    case FWP_BYTE_ARRAY6_TYPE:
      return 48;
    case FWP_UINT64:
    case FWP_INT64:
    case FWP_DOUBLE:
      return 64;
    default:
      return 128;
  }
}

// How many bits of the field the condition pins down.
std::uint64_t specificity(const model::Condition& condition) {
  const model::ConditionValue& value = condition.value;
  if (condition.match == FWP_MATCH_RANGE) {
    if (!model::is_unsigned_integer(value.low.type) && !model::is_signed_integer(value.low.type)) return kVague;
    const std::uint64_t all = bits_of(value.low), size = value.high.number - value.low.number;
    const auto open = static_cast<std::uint64_t>(std::bit_width(size));
    return all > open ? all - open : kVague;
  }
  if (condition.match != FWP_MATCH_EQUAL && condition.match != FWP_MATCH_EQUAL_CASE_INSENSITIVE) return kVague;
  if (value.type == FWP_V4_ADDR_MASK) return static_cast<std::uint64_t>(std::popcount(value.v4.mask));
  if (value.type == FWP_V6_ADDR_MASK) return value.v6.prefixLength;
  return bits_of(value.low);
}

}  // namespace

// Fields tested first, then the bits that they pin down; of alternatives on one field, the vaguest counts.
std::uint64_t automatic_weight(const std::vector<model::Condition>& conditions) {
  std::uint64_t fields = 0, bits = 0;
  for (std::size_t i = 0; i < conditions.size();) {
    const std::uint16_t field = conditions[i].field;
    std::uint64_t vaguest = specificity(conditions[i]);
    for (++i; i < conditions.size() && conditions[i].field == field; ++i)
      vaguest = std::min(vaguest, specificity(conditions[i]));
    ++fields;
    bits += vaguest;
  }
  return (fields << kFieldShift) + (bits << kBitsShift);
}

std::optional<std::uint64_t> effective_weight(const model::Value& given,
                                              const std::vector<model::Condition>& conditions) {
  switch (given.type) {
    case FWP_EMPTY:
      return automatic_weight(conditions);
    case FWP_UINT64:
      return given.number;
    case FWP_UINT8:
      if (given.number > kMaxRange) return std::nullopt;
      return (given.number << FWPM_AUTO_WEIGHT_BITS) | automatic_weight(conditions);
    default:
      return std::nullopt;
  }
}

}  // namespace wfp::engine
