#include "wfp/engine/validate.hpp"

#include "wfp/engine/weight.hpp"

namespace wfp::engine {
namespace {

using model::Lifetime;

bool is_action(FWP_ACTION_TYPE action) {
  return action == FWP_ACTION_PERMIT || action == FWP_ACTION_BLOCK || action == FWP_ACTION_CALLOUT_TERMINATING ||
         action == FWP_ACTION_CALLOUT_INSPECTION || action == FWP_ACTION_CALLOUT_UNKNOWN;
}

}  // namespace

NTSTATUS check_identity(model::Identity& object, std::uint32_t allowed_flags, std::uint32_t persistent_flag,
                        std::uint64_t dynamic_session) {
  if (object.name.empty()) return STATUS_FWP_NULL_DISPLAY_NAME;
  if (object.name.size() > model::kMaxNameUnits || object.description.size() > model::kMaxNameUnits)
    return STATUS_FWP_OUT_OF_BOUNDS;
  if ((object.flags & ~allowed_flags) != 0) return STATUS_FWP_INVALID_FLAGS;
  const bool is_persistent = (object.flags & persistent_flag) != 0;
  if (is_persistent && dynamic_session != 0) return STATUS_FWP_DYNAMIC_SESSION_IN_PROGRESS;
  object.session = dynamic_session;
  object.lifetime = dynamic_session != 0 ? Lifetime::Dynamic
                    : is_persistent      ? Lifetime::Persistent
                                         : Lifetime::Static;
  return STATUS_SUCCESS;
}

NTSTATUS check_alone(model::Filter& filter) {
  if (!is_action(filter.action)) return STATUS_FWP_INVALID_ACTION_TYPE;
  constexpr std::uint32_t kBothTimes = FWPM_FILTER_FLAG_PERSISTENT | FWPM_FILTER_FLAG_BOOTTIME;
  if ((filter.flags & kBothTimes) == kBothTimes) return STATUS_FWP_INVALID_FLAGS;
  if ((filter.flags & FWPM_FILTER_FLAG_PERMIT_IF_CALLOUT_UNREGISTERED) != 0 &&
      filter.action != FWP_ACTION_CALLOUT_TERMINATING && filter.action != FWP_ACTION_CALLOUT_UNKNOWN)
    return STATUS_FWP_INVALID_FLAGS;
  // Provider contexts cannot be added here, so none can be found.
  if ((filter.flags & FWPM_FILTER_FLAG_HAS_PROVIDER_CONTEXT) != 0) return STATUS_FWP_PROVIDER_CONTEXT_NOT_FOUND;
  if (filter.conditions.size() > model::kMaxConditions) return STATUS_FWP_OUT_OF_BOUNDS;
  const auto weight = effective_weight(filter.weight, filter.conditions);
  if (!weight) return STATUS_FWP_INVALID_WEIGHT;
  filter.effective_weight = *weight;
  return STATUS_SUCCESS;
}

NTSTATUS check_reference(const model::Identity& from, const model::Identity& to) {
  if (to.lifetime < from.lifetime) return STATUS_FWP_LIFETIME_MISMATCH;
  return to.session != 0 && to.session != from.session ? STATUS_FWP_WRONG_SESSION : STATUS_SUCCESS;
}

NTSTATUS check_deletion(const model::Identity& object, std::uint64_t dynamic_session) {
  if (object.lifetime == Lifetime::BuiltIn) return STATUS_FWP_BUILTIN_OBJECT;
  if (dynamic_session == 0 || object.session == dynamic_session) return STATUS_SUCCESS;
  return object.session == 0 ? STATUS_FWP_DYNAMIC_SESSION_IN_PROGRESS : STATUS_FWP_WRONG_SESSION;
}

}  // namespace wfp::engine
