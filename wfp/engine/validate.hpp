// The documented rules that an object must keep by itself, whatever else there is. Pure; any thread.
#pragma once

#include "nt/ntstatus.h"
#include "wfp/model/objects.hpp"

namespace wfp::engine {

// Names, flags and lifetime; sets `lifetime` and `session` of an object that is added. `dynamic_session`: who adds it;
// 0: a session that is not dynamic.
NTSTATUS check_identity(model::Identity& object, std::uint32_t allowed_flags, std::uint32_t persistent_flag,
                        std::uint64_t dynamic_session);
// Action, flags, weight and number of conditions; sets `effective_weight`.
NTSTATUS check_alone(model::Filter& filter);
// May `from` refer to `to`? STATUS_FWP_LIFETIME_MISMATCH, STATUS_FWP_WRONG_SESSION.
NTSTATUS check_reference(const model::Identity& from, const model::Identity& to);
// May this session delete it? `dynamic_session` as above.
NTSTATUS check_deletion(const model::Identity& object, std::uint64_t dynamic_session);

inline constexpr std::uint32_t kProviderFlags = FWPM_PROVIDER_FLAG_PERSISTENT;
inline constexpr std::uint32_t kSubLayerFlags = FWPM_SUBLAYER_FLAG_PERSISTENT;
inline constexpr std::uint32_t kCalloutFlags = FWPM_CALLOUT_FLAG_PERSISTENT | FWPM_CALLOUT_FLAG_USES_PROVIDER_CONTEXT;
inline constexpr std::uint32_t kFilterFlags =
    FWPM_FILTER_FLAG_PERSISTENT | FWPM_FILTER_FLAG_BOOTTIME | FWPM_FILTER_FLAG_HAS_PROVIDER_CONTEXT |
    FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT | FWPM_FILTER_FLAG_PERMIT_IF_CALLOUT_UNREGISTERED | FWPM_FILTER_FLAG_INDEXED |
    FWPM_FILTER_FLAG_SYSTEMOS_ONLY | FWPM_FILTER_FLAG_GAMEOS_ONLY | FWPM_FILTER_FLAG_SILENT_MODE |
    FWPM_FILTER_FLAG_IPSEC_NO_ACQUIRE_INITIATE;

}  // namespace wfp::engine
