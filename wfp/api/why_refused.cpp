#include "wfp/api/why_refused.hpp"

#include "nt/ntstatus.h"
#include "wfp/api/session_handle.hpp"
#include "wfp/engine/guid_order.hpp"
#include "wfp/kernel/unicode.hpp"
#include "wfp/model/condition.hpp"

namespace wfp::api {
namespace {

using engine::to_text;

std::string named(const char* what, const FWPM_DISPLAY_DATA0& display) {
  if (display.name == nullptr) return std::string(what) + " without a name";
  return std::string(what) + " '" + kernel::to_utf8(kernel::view_of(display.name)) + "'";
}

// What is true of every object; empty: something else.
std::string common_reason(NTSTATUS status, const GUID& key, const GUID* provider) {
  switch (status) {
    case STATUS_FWP_NULL_DISPLAY_NAME:
      return "displayData.name is NULL";
    case STATUS_FWP_ALREADY_EXISTS:
      return "the key " + to_text(key) + " is there already";
    case STATUS_FWP_PROVIDER_NOT_FOUND:
      return "there is no provider " + (provider != nullptr ? to_text(*provider) : "of that key");
    case STATUS_FWP_LIFETIME_MISMATCH:
      return "it refers to an object that lives shorter than itself, such as one of a dynamic session";
    case STATUS_FWP_WRONG_SESSION:
      return "it refers to an object of another dynamic session";
    case STATUS_INVALID_HANDLE:
      return "engineHandle is no open session";
    case STATUS_FWP_INCOMPATIBLE_TXN:
      return "the transaction is read-only";
    case STATUS_FWP_INVALID_FLAGS:
      return "flags has bits that are not known or do not go together";
    default:
      return {};
  }
}

// By the name that the field has at any layer.
std::string name_of_field(const GUID& condition) {
  for (const model::Layer& layer : model::layers()) {
    const auto index = model::find_field(*layer.fields, condition);
    if (index != model::kNoField) return std::string((*layer.fields)[index].name);
  }
  return to_text(condition);
}

std::string fields_of(const model::Layer& layer) {
  std::string names;
  for (const auto& field : *layer.fields)
    if (field.condition != nullptr) names += (names.empty() ? "" : ", ") + std::string(field.name);
  return names;
}

std::string why_condition(const FWPM_FILTER_CONDITION0& condition, const model::Layer& layer, NTSTATUS status) {
  const auto name = name_of_field(condition.fieldKey);
  const auto index = model::find_field(*layer.fields, condition.fieldKey);
  if (index == model::kNoField)
    return std::string(layer.name) + " has no field '" + name + "'; it has " + fields_of(layer);
  const auto wanted = model::data_type((*layer.fields)[index].type, layer.family);
  const auto given = static_cast<int>(condition.conditionValue.type);
  if (status == STATUS_FWP_TYPE_MISMATCH)
    return name + " wants FWP_DATA_TYPE " + std::to_string(static_cast<int>(wanted)) +
           ", and conditionValue.type is " + std::to_string(given);
  if (status == STATUS_FWP_MATCH_TYPE_MISMATCH)
    return name + " cannot be compared with matchType " + std::to_string(static_cast<int>(condition.matchType)) +
           " and conditionValue.type " + std::to_string(given);
  if (status == STATUS_NOT_SUPPORTED) return name + ": wfptap cannot evaluate conditions of this type yet";
  return name;
}

// The first condition that is wrong by itself; empty: all are right.
std::string why_conditions(const FWPM_FILTER0& filter) {
  const model::Layer* const layer = model::find_layer(filter.layerKey);
  if (layer == nullptr || filter.filterCondition == nullptr) return {};
  for (UINT32 i = 0; i < filter.numFilterConditions && i < model::kMaxConditions; ++i) {
    model::Condition condition;
    const NTSTATUS status = model::Condition::copy(filter.filterCondition[i], *layer, condition);
    if (!NT_SUCCESS(status))
      return "condition " + std::to_string(i) + ": " + why_condition(filter.filterCondition[i], *layer, status);
  }
  return {};
}

std::string filter_reason(const FWPM_FILTER0& filter, NTSTATUS status) {
  switch (status) {
    case STATUS_FWP_LAYER_NOT_FOUND:
      return "layerKey " + to_text(filter.layerKey) + " is no layer";
    case STATUS_FWP_SUBLAYER_NOT_FOUND:
      return "there is no sublayer " + to_text(filter.subLayerKey) + "; FwpmSubLayerAdd0 adds it before the filter";
    case STATUS_FWP_CALLOUT_NOT_FOUND:
      return "there is no callout " + to_text(filter.action.calloutKey) +
             "; FwpmCalloutAdd0 adds it before the filter";
    case STATUS_FWP_INCOMPATIBLE_LAYER:
      return "callout " + to_text(filter.action.calloutKey) + " was added for another layer than " +
             std::string(model::find_layer(filter.layerKey) != nullptr ? model::find_layer(filter.layerKey)->name
                                                                       : "?");
    case STATUS_FWP_CALLOUT_NOTIFICATION_FAILED:
      return "notifyFn of callout " + to_text(filter.action.calloutKey) + " returned an error for it";
    default:
      return why_conditions(filter);
  }
}

std::string sentence(const std::string& who, const std::string& common, const std::string& own) {
  const std::string& why = !common.empty() ? common : own;
  return why.empty() ? who : who + ": " + why;
}

}  // namespace

std::string why_refused(const FWPM_PROVIDER0& provider, NTSTATUS status) {
  return sentence(named("provider", provider.displayData), common_reason(status, provider.providerKey, nullptr), "");
}

std::string why_refused(const FWPM_SUBLAYER0& sublayer, NTSTATUS status) {
  return sentence(named("sublayer", sublayer.displayData),
                  common_reason(status, sublayer.subLayerKey, sublayer.providerKey), "");
}

std::string why_refused(const FWPM_CALLOUT0& callout, NTSTATUS status) {
  return sentence(
      named("callout", callout.displayData), common_reason(status, callout.calloutKey, callout.providerKey),
      status == STATUS_FWP_LAYER_NOT_FOUND ? "applicableLayer " + to_text(callout.applicableLayer) + " is no layer"
                                           : "");
}

std::string why_refused(const FWPM_FILTER0& filter, NTSTATUS status) {
  return sentence(named("filter", filter.displayData), common_reason(status, filter.filterKey, filter.providerKey),
                  filter_reason(filter, status));
}

}  // namespace wfp::api
