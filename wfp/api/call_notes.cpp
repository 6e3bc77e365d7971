#include "wfp/api/call_notes.hpp"

#include <string>

#include "wfp/api/session_handle.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/kernel/unicode.hpp"
#include "wfp/ledger/rules.hpp"
#include "wfp/ledger/violation.hpp"

namespace wfp::api {
namespace {

void note(ledger::rule::Id rule, std::string message) {
  ledger::Violation note;
  note.rule = rule;
  note.message = std::move(message);
  ledger::note(std::move(note));
}

void note_layer(const char* routine, const std::string& what, const model::Layer& layer, const char* consequence) {
  note(ledger::rule::kNeverAsked,
       std::string(routine) + ": " + what + " is at " + std::string(layer.name) +
           ", a layer that wfptap does not ask yet: " + consequence +
           "; a run says nothing about this part of the driver ('wfptap show layers' has the layers)");
}

std::string name_of(const GUID& key) {
  for (const auto& object : management().callouts())
    if (object->key == key) return "callout '" + kernel::to_utf8(object->name) + "'";
  return "the callout";
}

}  // namespace

void note_unasked(const char* routine, const FWPM_FILTER0& filter) {
  const model::Layer* const layer = model::find_layer(filter.layerKey);
  if (layer == nullptr || engine::Engine::current().is_asked(layer->id)) return;
  const auto name =
      filter.displayData.name != nullptr ? kernel::to_utf8(kernel::view_of(filter.displayData.name)) : "";
  const bool calls_out = (filter.action.type & FWP_ACTION_FLAG_CALLOUT) != 0;
  note_layer(routine, "filter '" + name + "'", *layer,
             calls_out ? "it never matches, and no classifyFn is called for it" : "it never matches");
}

void note_unasked_callout(const char* routine, const GUID& key) {
  const auto& engine = engine::Engine::current();
  for (const auto& object : management().callouts())
    if (object->key == key && !engine.is_asked(object->layer))
      note_layer(routine, name_of(key), *model::find_layer(object->layer), "its classifyFn is never called");
}

void note_registered_late(const char* routine, const GUID& key) {
  const std::size_t older = management().filters_of_callout(key);
  if (older == 0) return;
  note(ledger::rule::kRegisteredLate,
       std::string(routine) + ": " + name_of(key) + " was registered after " + kernel::counted(older, "filter") +
           " that named it, and notifyFn is not called for filters that exist already, so what it keeps by filter is "
           "missing there; register before you add the filters, or find them with FwpmFilterCreateEnumHandle0");
}

}  // namespace wfp::api
