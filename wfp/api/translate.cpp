#include "wfp/api/translate.hpp"

#include <algorithm>

namespace wfp::api {
namespace {

// A terminated string of bounded length; longer ones are refused, not cut.
NTSTATUS copy_text(const WCHAR* from, std::u16string& into) {
  into.clear();
  for (const WCHAR* unit = from; unit != nullptr && *unit != 0; ++unit) {
    if (into.size() == model::kMaxNameUnits) return STATUS_FWP_OUT_OF_BOUNDS;
    into.push_back(static_cast<char16_t>(*unit));
  }
  return STATUS_SUCCESS;
}

NTSTATUS copy_identity(const GUID& key, const FWPM_DISPLAY_DATA0& display, std::uint32_t flags,
                       const FWP_BYTE_BLOB& data, const GUID* provider, model::Identity& into) {
  into.key = key;
  into.flags = flags;
  if (provider != nullptr) into.provider = *provider;
  if (display.name == nullptr) return STATUS_FWP_NULL_DISPLAY_NAME;
  if (const NTSTATUS status = copy_text(display.name, into.name); !NT_SUCCESS(status)) return status;
  if (const NTSTATUS status = copy_text(display.description, into.description); !NT_SUCCESS(status)) return status;
  if (data.size > kMaxProviderData) return STATUS_FWP_OUT_OF_BOUNDS;
  if (data.size != 0 && data.data == nullptr) return STATUS_FWP_NULL_POINTER;
  into.provider_data.assign(data.data, data.data + data.size);
  return STATUS_SUCCESS;
}

NTSTATUS copy_conditions(const FWPM_FILTER0& from, const model::Layer& layer, model::Filter& into) {
  if (from.numFilterConditions > model::kMaxConditions) return STATUS_FWP_OUT_OF_BOUNDS;
  if (from.numFilterConditions != 0 && from.filterCondition == nullptr) return STATUS_FWP_NULL_POINTER;
  into.conditions.resize(from.numFilterConditions);
  for (UINT32 i = 0; i < from.numFilterConditions; ++i) {
    const NTSTATUS status = model::Condition::copy(from.filterCondition[i], layer, into.conditions[i]);
    if (!NT_SUCCESS(status)) return status;
  }
  return STATUS_SUCCESS;
}

}  // namespace

NTSTATUS translate(const FWPM_PROVIDER0& from, model::Provider& into) {
  if (const NTSTATUS status = copy_text(from.serviceName, into.service_name); !NT_SUCCESS(status)) return status;
  return copy_identity(from.providerKey, from.displayData, from.flags, from.providerData, nullptr, into);
}

NTSTATUS translate(const FWPM_SUBLAYER0& from, model::SubLayer& into) {
  into.weight = from.weight;
  return copy_identity(from.subLayerKey, from.displayData, from.flags, from.providerData, from.providerKey, into);
}

NTSTATUS translate(const FWPM_CALLOUT0& from, model::CalloutObject& into) {
  const model::Layer* const layer = model::find_layer(from.applicableLayer);
  if (layer == nullptr) return STATUS_FWP_LAYER_NOT_FOUND;
  into.layer = layer->id;
  return copy_identity(from.calloutKey, from.displayData, from.flags, from.providerData, from.providerKey, into);
}

NTSTATUS translate(const FWPM_FILTER0& from, model::Filter& into) {
  const NTSTATUS status =
      copy_identity(from.filterKey, from.displayData, from.flags, from.providerData, from.providerKey, into);
  if (!NT_SUCCESS(status)) return status;
  const model::Layer* const layer = model::find_layer(from.layerKey);
  if (layer == nullptr) return STATUS_FWP_LAYER_NOT_FOUND;
  into.layer = layer->id;
  into.sublayer = from.subLayerKey;
  into.action = from.action.type;
  if (into.calls_out()) into.callout = from.action.calloutKey;
  into.raw_context = from.rawContext;
  if (const NTSTATUS weight = model::Value::copy(from.weight, into.weight); !NT_SUCCESS(weight)) return weight;
  return copy_conditions(from, *layer, into);
}

}  // namespace wfp::api
