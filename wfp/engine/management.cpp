#include "wfp/engine/management.hpp"

#include <algorithm>

#include "fwpm/sublayers.h"
#include "wfp/engine/epoch.hpp"

namespace wfp::engine {
namespace {

struct BuiltinSubLayer {
  const GUID* key;
  const char16_t* name;
  std::uint16_t weight;
};

// Documented: UNIVERSAL takes filters that name no sublayer, INSPECTION weighs least. The numbers are ours; what
// Windows' own components use weighs more than UNIVERSAL, so that drivers' sublayers come after it.
const BuiltinSubLayer kBuiltinSubLayers[] = {
    {&FWPM_SUBLAYER_IPSEC_TUNNEL, u"IPsec tunnel", 0xf000},
    {&FWPM_SUBLAYER_IPSEC_FORWARD_OUTBOUND_TUNNEL, u"IPsec forward outbound tunnel", 0xef00},
    {&FWPM_SUBLAYER_IPSEC_DOSP, u"IPsec denial-of-service protection", 0xee00},
    {&FWPM_SUBLAYER_IPSEC_SECURITY_REALM, u"IPsec security realm", 0xed00},
    {&FWPM_SUBLAYER_LIPS, u"Legacy IPsec", 0xec00},
    {&FWPM_SUBLAYER_MPSSVC_WSH, u"Windows service hardening", 0xe000},
    {&FWPM_SUBLAYER_MPSSVC_QUARANTINE, u"Quarantine", 0xdf00},
    {&FWPM_SUBLAYER_MPSSVC_EDP, u"Enterprise data protection", 0xde00},
    {&FWPM_SUBLAYER_MPSSVC_TENANT_RESTRICTIONS, u"Tenant restrictions", 0xdd00},
    {&FWPM_SUBLAYER_MPSSVC_WF, u"Windows firewall", 0xdc00},
    {&FWPM_SUBLAYER_SECURE_SOCKET, u"Secure socket", 0xd000},
    {&FWPM_SUBLAYER_TEREDO, u"Edge traversal", 0xc000},
    {&FWPM_SUBLAYER_RPC_AUDIT, u"RPC audit", 0xb000},
    {&FWPM_SUBLAYER_TCP_CHIMNEY_OFFLOAD, u"TCP offload", 0xa100},
    {&FWPM_SUBLAYER_TCP_TEMPLATES, u"TCP templates", 0xa000},
    {&FWPM_SUBLAYER_UNIVERSAL, u"Universal", kUniversalWeight},
    {&FWPM_SUBLAYER_INSPECTION, u"Inspection", 0},
};

}  // namespace

Management::Management(kernel::Scheduler& scheduler, CalloutTable& callouts, Published published)
    : scheduler_(scheduler), callouts_table_(callouts), published_(std::move(published)), snapshot_(new Snapshot) {
  KeInitializeEvent(&transaction_free_, SynchronizationEvent, TRUE);
  add_builtin_sublayers();
  add_builtin_callouts();
}

Management::~Management() { delete snapshot_.load(); }

void Management::add_builtin_sublayers() {
  for (const BuiltinSubLayer& builtin : kBuiltinSubLayers) {
    model::SubLayer sublayer;
    sublayer.key = *builtin.key;
    sublayer.name = builtin.name;
    sublayer.lifetime = model::Lifetime::BuiltIn;
    sublayer.weight = builtin.weight;
    objects_.sublayers.emplace(sublayer.key, std::make_shared<const model::SubLayer>(sublayer));
  }
}

// No two are alike; where randomness comes from is not this folder's to know.
GUID Management::make_key() {
  GUID key{};
  key.Data1 = 0x77667074;
  key.Data3 = 0x4000;
  const std::uint64_t number = ++last_key_;
  std::memcpy(key.Data4, &number, sizeof number);
  return key;
}

std::vector<std::shared_ptr<const model::CalloutObject>> Management::callouts() const {
  const std::lock_guard lock(lock_);
  std::vector<std::shared_ptr<const model::CalloutObject>> out;
  for (const auto& [key, callout] : objects_.callouts) out.push_back(callout);
  return out;
}

std::size_t Management::filters_of_callout(const GUID& callout) const {
  const std::lock_guard lock(lock_);
  std::size_t count = 0;
  for (const auto& [id, filter] : objects_.filters) {
    if (filter->callout == nullptr || filter->callout->key() != callout) continue;
    if (std::ranges::find(added_, filter) == added_.end()) ++count;  // else its notice is still to come
  }
  return count;
}

std::shared_ptr<const model::SubLayer> Management::sublayer(const GUID& key) const {
  const std::lock_guard lock(lock_);
  const auto found = objects_.sublayers.find(key);
  return found != objects_.sublayers.end() ? found->second : nullptr;
}

}  // namespace wfp::engine
