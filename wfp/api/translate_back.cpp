// From the engine's objects to what the get and enum functions hand out: a structure and all that it points to, or a page
// of them, in one C++ object that FwpmFreeMemory0 finds again by the address that was handed out.
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "fwpm/sublayers.h"
#include "wfp/api/translate.hpp"
#include "wfp/engine/engine.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/ledger/rules.hpp"

namespace wfp::api {
namespace {

struct Handed {
  virtual ~Handed() = default;
};

template <class Api>
struct HandedPage : Handed {
  std::vector<std::unique_ptr<Handed>> objects;
  std::vector<Api*> entries;
};

// --- one object ---

template <class Api, class Object>
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
  Api shown{};
};

struct HandedFilter : HandedObject<FWPM_FILTER0, model::Filter> {
  using HandedObject::HandedObject;
  std::vector<FWPM_FILTER_CONDITION0> conditions;
};

struct HandedLayer : Handed {
  std::u16string name;
  std::vector<GUID> keys;
  std::vector<FWPM_FIELD0> fields;
  FWPM_LAYER0 shown{};
};

auto make(const model::Provider& from) {
  auto made = std::make_unique<HandedObject<FWPM_PROVIDER0, model::Provider>>(from);
  made->shown = {from.key, made->display(), from.flags, made->data(), made->text(made->object.service_name)};
  return made;
}

auto make(const model::SubLayer& from) {
  auto made = std::make_unique<HandedObject<FWPM_SUBLAYER0, model::SubLayer>>(from);
  made->shown = {from.key, made->display(), from.flags, made->provider_key(), made->data(), from.weight};
  return made;
}

auto make(const model::CalloutObject& from) {
  auto made = std::make_unique<HandedObject<FWPM_CALLOUT0, model::CalloutObject>>(from);
  const auto slot = engine::Engine::current().callouts().find(from.id);
  const bool is_registered = slot != nullptr && slot->is_registered();
  const UINT32 flags = from.flags | (is_registered ? FWPM_CALLOUT_FLAG_REGISTERED : 0u);
  const GUID layer = *model::find_layer(from.layer)->key;
  made->shown = {from.key, made->display(), flags, made->provider_key(), made->data(), layer, from.id};
  return made;
}

auto make(const engine::CompiledFilter& compiled) {
  const model::Filter& from = compiled.filter;
  auto made = std::make_unique<HandedFilter>(from);
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
  return made;
}

FWPM_FIELD_TYPE field_type(const model::Field& field) {
  if (field.type == model::FieldType::Address) return FWPM_FIELD_IP_ADDRESS;
  return field.name == "FLAGS" ? FWPM_FIELD_FLAGS : FWPM_FIELD_RAW_DATA;
}

auto make(const model::Layer& from) {
  auto made = std::make_unique<HandedLayer>();
  made->name.assign(from.name.begin(), from.name.end());
  for (const model::Field& field : *from.fields) {
    if (field.condition == nullptr) continue;
    made->keys.push_back(*field.condition);
    made->fields.push_back({nullptr, field_type(field), model::data_type(field.type, from.family)});
  }
  for (std::size_t i = 0; i < made->fields.size(); ++i) made->fields[i].fieldKey = &made->keys[i];
  FWPM_LAYER0& shown = made->shown;
  shown.layerKey = *from.key;
  shown.displayData.name = reinterpret_cast<PWSTR>(made->name.data());
  shown.flags = FWPM_LAYER_FLAG_KERNEL | FWPM_LAYER_FLAG_BUILTIN;
  shown.numFields = static_cast<UINT32>(made->fields.size());
  shown.field = made->fields.data();
  shown.defaultSubLayerKey = FWPM_SUBLAYER_UNIVERSAL;
  shown.layerId = from.id;
  return made;
}

// --- what is out ---

std::mutex handed_lock;
std::map<const void*, std::unique_ptr<Handed>>& handed() {
  static auto* const all = new std::map<const void*, std::unique_ptr<Handed>>;
  return *all;
}

template <class Address>
Address* hand_out(Address* address, std::unique_ptr<Handed> object) {
  const std::lock_guard lock(handed_lock);
  handed().emplace(address, std::move(object));
  return address;
}

template <class Api, class Object>
Api* hand_out_one(const Object& from) {
  auto made = make(from);
  Api* const shown = &made->shown;
  return hand_out(shown, std::move(made));
}

template <class Api, class Object>
Api** hand_out_page(const engine::Page<Object>& from) {
  if (from.empty()) return nullptr;
  auto page = std::make_unique<HandedPage<Api>>();
  for (const auto& object : from) {
    auto made = make(*object);
    page->entries.push_back(&made->shown);
    page->objects.push_back(std::move(made));
  }
  Api** const entries = page->entries.data();
  return hand_out(entries, std::move(page));
}

}  // namespace

FWPM_PROVIDER0* to_api(const model::Provider& from) { return hand_out_one<FWPM_PROVIDER0>(from); }
FWPM_SUBLAYER0* to_api(const model::SubLayer& from) { return hand_out_one<FWPM_SUBLAYER0>(from); }
FWPM_LAYER0* to_api(const model::Layer& from) { return hand_out_one<FWPM_LAYER0>(from); }
FWPM_CALLOUT0* to_api(const model::CalloutObject& from) { return hand_out_one<FWPM_CALLOUT0>(from); }
FWPM_FILTER0* to_api(const engine::CompiledFilter& from) { return hand_out_one<FWPM_FILTER0>(from); }

FWPM_SUBLAYER0** to_api(const engine::Page<model::SubLayer>& from) { return hand_out_page<FWPM_SUBLAYER0>(from); }
FWPM_LAYER0** to_api(const engine::Page<model::Layer>& from) { return hand_out_page<FWPM_LAYER0>(from); }
FWPM_CALLOUT0** to_api(const engine::Page<model::CalloutObject>& from) { return hand_out_page<FWPM_CALLOUT0>(from); }
FWPM_FILTER0** to_api(const engine::Page<engine::CompiledFilter>& from) { return hand_out_page<FWPM_FILTER0>(from); }

void free_api(void* object) {
  if (object == nullptr) return;
  std::unique_ptr<Handed> freed;  // outside the lock
  {
    const std::lock_guard lock(handed_lock);
    if (const auto found = handed().find(object); found != handed().end()) {
      freed = std::move(found->second);
      handed().erase(found);
    }
  }
  if (freed == nullptr)
    kernel::report_violation(ledger::rule::kApiFree,
                             kernel::text("FwpmFreeMemory0 got %p, which no Fwpm function returned or "
                                          "which was freed before",
                                          object));
}

}  // namespace wfp::api
