// The weight that filters of one sublayer are ordered by. Documented: FWP_UINT64 counts as given, FWP_EMPTY is
// computed into [0, 2^60), FWP_UINT8 0..15 puts the computed weight into one of sixteen ranges. How it is computed is
// not documented; our formula is in weight.cpp and in the README. Pure; any thread.
#pragma once

#include <optional>

#include "wfp/model/objects.hpp"

namespace wfp::engine {

std::uint64_t automatic_weight(const std::vector<model::Condition>& conditions);
// Empty: no such weight (STATUS_FWP_INVALID_WEIGHT).
std::optional<std::uint64_t> effective_weight(const model::Value& given,
                                              const std::vector<model::Condition>& conditions);

}  // namespace wfp::engine
