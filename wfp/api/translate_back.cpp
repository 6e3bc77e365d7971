// From the engine's objects to what the get functions hand out: a structure and all that it points to, in one C++
// object that FwpmFreeMemory0 finds again by the structure's address.
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "wfp/api/translate.hpp"
#include "wfp/kernel/report.hpp"

namespace wfp::api {
namespace {

struct Handed {
  virtual ~Handed() = default;
};

template <class Shown, class Object>
struct HandedObject : Handed {
  explicit HandedObject(const Object& from) : object(from) {
    if (object.provider) provider = *object.provider;
  }
  PWSTR text(std::u16string& of) { return of.empty() ? nullptr : reinterpret_cast<PWSTR>(of.data()); }
  FWPM_DISPLAY_DATA0 display() { return {text(object.name), text(object.description)}; }
  FWP_BYTE_BLOB data() { return {static_cast<UINT32>(object.provider_data.size()), object.provider_data.data()}; }
  GUID* provider_key() { return object.provider ? &provider : nullptr; }

  Object object;
  GUID provider{};
  GUID layer_key{};
  std::vector<FWPM_FILTER_CONDITION0> conditions;
  Shown shown{};
};

std::mutex handed_lock;
std::map<const void*, std::unique_ptr<Handed>>& handed() {
  static auto* const all = new std::map<const void*, std::unique_ptr<Handed>>;
  return *all;
}

template <class Shown, class Object>
Shown* hand_out(std::unique_ptr<HandedObject<Shown, Object>> made) {
  Shown* const shown = &made->shown;
  const std::lock_guard lock(handed_lock);
  handed().emplace(shown, std::move(made));
  return shown;
}

}  // namespace

FWPM_PROVIDER0* to_api(const model::Provider& from) {
  auto made = std::make_unique<HandedObject<FWPM_PROVIDER0, model::Provider>>(from);
  made->shown = {from.key, made->display(), from.flags, made->data(), made->text(made->object.service_name)};
  return hand_out(std::move(made));
}

FWPM_SUBLAYER0* to_api(const model::SubLayer& from) {
  auto made = std::make_unique<HandedObject<FWPM_SUBLAYER0, model::SubLayer>>(from);
  made->shown = {from.key, made->display(), from.flags, made->provider_key(), made->data(), from.weight};
  return hand_out(std::move(made));
}

FWPM_CALLOUT0* to_api(const model::CalloutObject& from, bool is_registered) {
  auto made = std::make_unique<HandedObject<FWPM_CALLOUT0, model::CalloutObject>>(from);
  const UINT32 flags = from.flags | (is_registered ? FWPM_CALLOUT_FLAG_REGISTERED : 0u);
  const GUID layer = *model::find_layer(from.layer)->key;
  made->shown = {from.key, made->display(), flags, made->provider_key(), made->data(), layer, from.id};
  return hand_out(std::move(made));
}

FWPM_FILTER0* to_api(const model::Filter& from) {
  auto made = std::make_unique<HandedObject<FWPM_FILTER0, model::Filter>>(from);
  const model::Layer& layer = *model::find_layer(from.layer);
  for (model::Condition& condition : made->object.conditions)
    made->conditions.push_back(
        {*(*layer.fields)[condition.field].condition, condition.match, condition.value.view()});
  FWPM_FILTER0& shown = made->shown;
  shown.filterKey = from.key;
  shown.displayData = made->display();
  shown.flags = from.flags;
  shown.providerKey = made->provider_key();
  shown.providerData = made->data();
  shown.layerKey = *layer.key;
  shown.subLayerKey = from.sublayer;
  shown.weight = made->object.weight.view();
  shown.numFilterConditions = static_cast<UINT32>(made->conditions.size());
  shown.filterCondition = made->conditions.data();
  shown.action.type = from.action;
  shown.action.calloutKey = from.callout;
  shown.rawContext = from.raw_context;
  shown.filterId = from.id;
  shown.effectiveWeight.type = FWP_UINT64;
  shown.effectiveWeight.uint64 = &made->object.effective_weight;
  return hand_out(std::move(made));
}

void free_api(void* object) {
  if (object == nullptr) return;
  bool is_ours = false;
  {
    const std::lock_guard lock(handed_lock);
    is_ours = handed().erase(object) != 0;
  }
  if (!is_ours)
    kernel::report_violation("FWPM-BAD-FREE",
                             kernel::text("FwpmFreeMemory0 got %p, which no Fwpm function returned or "
                                          "which was freed before",
                                          object));
}

}  // namespace wfp::api
