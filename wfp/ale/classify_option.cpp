#include "wfp/ale/classify_option.hpp"

#include <optional>

#include "nt/ntstatus.h"
#include "wfp/engine/classify.hpp"

namespace wfp::ale {
namespace {

// The largest value of an option that is an enumeration; none: any value.
std::optional<std::uint32_t> largest_value(FWP_CLASSIFY_OPTION_TYPE option) {
  switch (option) {
    case FWP_CLASSIFY_OPTION_MULTICAST_STATE:
      return FWP_OPTION_VALUE_ALLOW_GLOBAL_MULTICAST_STATE;
    case FWP_CLASSIFY_OPTION_LOOSE_SOURCE_MAPPING:
      return FWP_OPTION_VALUE_ENABLE_LOOSE_SOURCE;
    case FWP_CLASSIFY_OPTION_LOCAL_ONLY_MAPPING:
      return FWP_OPTION_VALUE_ENABLE_LOCAL_ONLY_MAPPING;
    default:
      return std::nullopt;
  }
}

}  // namespace

NTSTATUS check_classify_option(FWP_CLASSIFY_OPTION_TYPE option, const FWP_VALUE0& value) {
  if (static_cast<unsigned>(option) >= FWP_CLASSIFY_OPTION_MAX) return STATUS_FWP_INVALID_ENUMERATOR;
  if (value.type != FWP_UINT32) return STATUS_OBJECT_TYPE_MISMATCH;
  const auto largest = largest_value(option);
  if (largest && value.uint32 > *largest) return STATUS_FWP_OUT_OF_BOUNDS;
  return engine::current_classify() == nullptr ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
}

}  // namespace wfp::ale
