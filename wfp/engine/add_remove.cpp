// Adding and deleting objects. The bodies handed to change() run with lock_ held.
#include <algorithm>

#include "fwpm/sublayers.h"
#include "wfp/engine/management.hpp"
#include "wfp/engine/validate.hpp"
#include "wfp/kernel/unicode.hpp"

namespace wfp::engine {
namespace {

SessionId dynamic_id(SessionId session, const SessionOptions& options) { return options.is_dynamic ? session : 0; }

template <class T>
NTSTATUS check_provider_of(const T& object, const Objects& objects) {
  if (!object.provider) return STATUS_SUCCESS;
  const auto found = objects.providers.find(*object.provider);
  return found == objects.providers.end() ? STATUS_FWP_PROVIDER_NOT_FOUND : check_reference(object, *found->second);
}

}  // namespace

template <class T>
NTSTATUS Management::insert(ByKey<T>& into, T object, SessionId, const Session&) {
  if (const NTSTATUS status = check_provider_of(object, objects_); !NT_SUCCESS(status)) return status;
  if (is_zero(object.key)) object.key = make_key();
  const GUID key = object.key;
  if (!into.emplace(key, std::make_shared<const T>(std::move(object))).second) return STATUS_FWP_ALREADY_EXISTS;
  undo_.emplace_back([&into, key] { into.erase(key); });
  return STATUS_SUCCESS;
}

template <class T>
NTSTATUS Management::erase(ByKey<T>& from, const GUID& key, NTSTATUS not_found, SessionId session,
                           const Session& options) {
  const auto found = from.find(key);
  if (found == from.end()) return not_found;
  const NTSTATUS status = check_deletion(*found->second, dynamic_id(session, options.options));
  if (!NT_SUCCESS(status)) return status;
  if (is_referred_to(key)) return STATUS_FWP_IN_USE;
  undo_.emplace_back([&from, object = found->second] { from.emplace(object->key, object); });
  from.erase(found);
  return STATUS_SUCCESS;
}

// Some object names this provider, sublayer or callout.
bool Management::is_referred_to(const GUID& key) const {
  const auto names = [&](const model::Identity& object) { return object.provider && *object.provider == key; };
  const auto any = [&](const auto& map) {
    return std::any_of(map.begin(), map.end(), [&](const auto& entry) { return names(*entry.second); });
  };
  if (any(objects_.sublayers) || any(objects_.callouts)) return true;
  return std::any_of(objects_.filters.begin(), objects_.filters.end(), [&](const auto& entry) {
    const model::Filter& filter = entry.second->filter;
    return names(filter) || filter.sublayer == key || (filter.calls_out() && filter.callout == key);
  });
}

NTSTATUS Management::add(SessionId session, model::Provider provider) {
  return change(session, [&](const Session& options) {
    const NTSTATUS status =
        check_identity(provider, kProviderFlags, FWPM_PROVIDER_FLAG_PERSISTENT, dynamic_id(session, options.options));
    return NT_SUCCESS(status) ? insert(objects_.providers, std::move(provider), session, options) : status;
  });
}

NTSTATUS Management::add(SessionId session, model::SubLayer sublayer) {
  return change(session, [&](const Session& options) {
    const NTSTATUS status =
        check_identity(sublayer, kSubLayerFlags, FWPM_SUBLAYER_FLAG_PERSISTENT, dynamic_id(session, options.options));
    if (!NT_SUCCESS(status)) return status;
    if (objects_.sublayers.size() == kMaxSubLayers) return static_cast<NTSTATUS>(STATUS_FWP_TOO_MANY_SUBLAYERS);
    return insert(objects_.sublayers, std::move(sublayer), session, options);
  });
}

NTSTATUS Management::add(SessionId session, model::CalloutObject callout, std::uint32_t* id) {
  return change(session, [&](const Session& options) {
    NTSTATUS status =
        check_identity(callout, kCalloutFlags, FWPM_CALLOUT_FLAG_PERSISTENT, dynamic_id(session, options.options));
    if (!NT_SUCCESS(status)) return status;
    if (callout.layer >= model::kLayerCount) return static_cast<NTSTATUS>(STATUS_FWP_LAYER_NOT_FOUND);
    if (is_zero(callout.key)) callout.key = make_key();
    const auto slot = callouts_table_.slot(callout.key);  // the number that registering gives, before or after
    if (slot == nullptr) return static_cast<NTSTATUS>(STATUS_FWP_TOO_MANY_CALLOUTS);
    callout.id = slot->id();
    callouts_table_.set_description(
        slot->id(), "'" + kernel::to_utf8(callout.name) + "' at " + std::string(model::layer_name(callout.layer)));
    status = insert(objects_.callouts, std::move(callout), session, options);
    if (NT_SUCCESS(status) && id != nullptr) *id = slot->id();
    return status;
  });
}

NTSTATUS Management::add(SessionId session, model::Filter filter, std::uint64_t* id) {
  return change(session,
                [&](const Session& options) { return insert_filter(std::move(filter), session, options, id); });
}

// What the filter refers to: provider, sublayer, and a callout for its layer.
NTSTATUS Management::check_filter(model::Filter& filter) const {
  if (const NTSTATUS status = check_provider_of(filter, objects_); !NT_SUCCESS(status)) return status;
  if (filter.layer >= model::kLayerCount) return STATUS_FWP_LAYER_NOT_FOUND;
  if (is_zero(filter.sublayer)) filter.sublayer = FWPM_SUBLAYER_UNIVERSAL;
  const auto sublayer = objects_.sublayers.find(filter.sublayer);
  if (sublayer == objects_.sublayers.end()) return STATUS_FWP_SUBLAYER_NOT_FOUND;
  if (const NTSTATUS status = check_reference(filter, *sublayer->second); !NT_SUCCESS(status)) return status;
  if (!filter.calls_out()) return STATUS_SUCCESS;
  const auto callout = objects_.callouts.find(filter.callout);
  if (callout == objects_.callouts.end()) return STATUS_FWP_CALLOUT_NOT_FOUND;
  if (callout->second->layer != filter.layer) return STATUS_FWP_INCOMPATIBLE_LAYER;
  filter.callout_id = callout->second->id;
  return check_reference(filter, *callout->second);
}

NTSTATUS Management::insert_filter(model::Filter filter, SessionId session, const Session& options,
                                   std::uint64_t* id) {
  NTSTATUS status =
      check_identity(filter, kFilterFlags, FWPM_FILTER_FLAG_PERSISTENT, dynamic_id(session, options.options));
  if (NT_SUCCESS(status)) status = check_alone(filter);
  if (NT_SUCCESS(status)) status = check_filter(filter);
  if (!NT_SUCCESS(status)) return status;
  if (objects_.filters.size() == kMaxFilters) return STATUS_INSUFFICIENT_RESOURCES;
  if (is_zero(filter.key)) filter.key = make_key();
  if (objects_.filter_ids.contains(filter.key)) return STATUS_FWP_ALREADY_EXISTS;
  filter.id = ++last_filter_;
  const GUID key = filter.key;
  const std::uint64_t made_id = filter.id;
  const std::uint16_t weight = objects_.sublayers.find(filter.sublayer)->second->weight;
  auto slot = filter.calls_out() ? callouts_table_.slot(filter.callout) : nullptr;
  const auto made = std::make_shared<CompiledFilter>(std::move(filter), weight, std::move(slot));
  objects_.filters.emplace(made_id, made);
  objects_.filter_ids.emplace(key, made_id);
  added_.push_back(made);
  undo_.emplace_back([this, key, made_id] {
    objects_.filters.erase(made_id);
    objects_.filter_ids.erase(key);
  });
  if (id != nullptr) *id = made_id;
  return STATUS_SUCCESS;
}

NTSTATUS Management::erase_filter(std::uint64_t id, SessionId session, const Session& options) {
  const auto found = objects_.filters.find(id);
  if (found == objects_.filters.end()) return STATUS_FWP_FILTER_NOT_FOUND;
  const auto filter = found->second;
  const NTSTATUS status = check_deletion(filter->filter, dynamic_id(session, options.options));
  if (!NT_SUCCESS(status)) return status;
  objects_.filters.erase(found);
  objects_.filter_ids.erase(filter->filter.key);
  if (std::erase(added_, filter) == 0) deleted_.push_back(filter);  // else nobody ever saw it
  undo_.emplace_back([this, filter] {
    objects_.filters.emplace(filter->filter.id, filter);
    objects_.filter_ids.emplace(filter->filter.key, filter->filter.id);
  });
  return STATUS_SUCCESS;
}

// Referrers before what they refer to; the lifetime rules see to it that nobody else refers to a dynamic object.
void Management::erase_all_of(SessionId session, const Session& options) {
  const std::lock_guard lock(lock_);
  std::vector<std::uint64_t> ids;
  for (const auto& [id, filter] : objects_.filters)
    if (filter->filter.session == session) ids.push_back(id);
  for (const std::uint64_t id : ids) erase_filter(id, session, options);
  const auto erase_from = [&](auto& map) {
    std::erase_if(map, [&](const auto& entry) { return entry.second->session == session; });
  };
  erase_from(objects_.callouts);
  erase_from(objects_.sublayers);
  erase_from(objects_.providers);
}

NTSTATUS Management::remove_provider(SessionId session, const GUID& key) {
  return change(session, [&](const Session& options) {
    return erase(objects_.providers, key, STATUS_FWP_PROVIDER_NOT_FOUND, session, options);
  });
}

NTSTATUS Management::remove_sublayer(SessionId session, const GUID& key) {
  return change(session, [&](const Session& options) {
    return erase(objects_.sublayers, key, STATUS_FWP_SUBLAYER_NOT_FOUND, session, options);
  });
}

NTSTATUS Management::remove_callout(SessionId session, const GUID& key) {
  return change(session, [&](const Session& options) {
    return erase(objects_.callouts, key, STATUS_FWP_CALLOUT_NOT_FOUND, session, options);
  });
}

NTSTATUS Management::remove_callout(SessionId session, std::uint32_t id) {
  const auto slot = callouts_table_.find(id);
  return slot != nullptr ? remove_callout(session, slot->key()) : STATUS_FWP_CALLOUT_NOT_FOUND;
}

NTSTATUS Management::remove_filter(SessionId session, std::uint64_t id) {
  return change(session, [&](const Session& options) { return erase_filter(id, session, options); });
}

NTSTATUS Management::remove_filter(SessionId session, const GUID& key) {
  return change(session, [&](const Session& options) {
    const auto found = objects_.filter_ids.find(key);
    return found != objects_.filter_ids.end() ? erase_filter(found->second, session, options)
                                              : static_cast<NTSTATUS>(STATUS_FWP_FILTER_NOT_FOUND);
  });
}

}  // namespace wfp::engine
