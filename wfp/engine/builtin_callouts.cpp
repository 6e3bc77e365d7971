// The callouts that Windows brings along, as far as they do something here: those that firewalls use to be silent. A filter
// with one of them at the discard layer of received segments keeps the answer in (RST, port unreachable).
#include "fwpm/builtin_objects.h"
#include "fwps/layers.h"
#include "wfp/engine/management.hpp"

namespace wfp::engine {
namespace {

// Documented: silently drops all matching segments that no endpoint is there for. A block at the discard layer does that.
void NTAPI block_silently(const FWPS_INCOMING_VALUES0*, const FWPS_INCOMING_METADATA_VALUES0*, void*, const void*,
                          const FWPS_FILTER3*, UINT64, FWPS_CLASSIFY_OUT0* out) {
  if ((out->rights & FWPS_RIGHT_ACTION_WRITE) == 0) return;
  out->actionType = FWP_ACTION_BLOCK;
  out->rights &= ~static_cast<UINT32>(FWPS_RIGHT_ACTION_WRITE);
}

struct Builtin {
  std::uint32_t id;  // below kFirstCalloutId; the numbers are ours
  const GUID* key;
  const char16_t* name;
  std::uint16_t layer;
};
const Builtin kBuiltins[] = {{1, &FWPM_CALLOUT_WFP_TRANSPORT_LAYER_V4_SILENT_DROP,
                              u"WFP built-in silent drop transport v4", FWPS_LAYER_INBOUND_TRANSPORT_V4_DISCARD},
                             {2, &FWPM_CALLOUT_WFP_TRANSPORT_LAYER_V6_SILENT_DROP,
                              u"WFP built-in silent drop transport v6", FWPS_LAYER_INBOUND_TRANSPORT_V6_DISCARD}};

}  // namespace

void Management::add_builtin_callouts() {
  for (const Builtin& builtin : kBuiltins) {
    Registration registration;
    registration.key = *builtin.key;
    registration.version = 3;
    registration.classify = reinterpret_cast<void (*)()>(&block_silently);
    callouts_table_.add_builtin(builtin.id, registration);
    model::CalloutObject object;
    object.key = *builtin.key;
    object.name = builtin.name;
    object.lifetime = model::Lifetime::BuiltIn;
    object.layer = builtin.layer;
    object.id = builtin.id;
    objects_.callouts.emplace(object.key, std::make_shared<const model::CalloutObject>(object));
  }
}

}  // namespace wfp::engine
