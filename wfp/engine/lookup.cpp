// Finding and enumerating objects. The bodies handed to read() run with lock_ held.
#include <algorithm>
#include <span>

#include "wfp/engine/management.hpp"

namespace wfp::engine {
namespace {

template <class T>
NTSTATUS look_up(const ByKey<T>& in, const GUID& key, NTSTATUS not_found, std::shared_ptr<const T>& out) {
  const auto found = in.find(key);
  if (found == in.end()) return not_found;
  out = found->second;
  return STATUS_SUCCESS;
}

// All objects of a map that the predicate likes.
template <class T, class Map>
Page<T> those(const Map& in, const std::function<bool(const T&)>& is_wanted) {
  Page<T> out;
  for (const auto& [key, object] : in)
    if (is_wanted(*object)) out.push_back(object);
  return out;
}

// Layers are constants that nobody owns.
std::shared_ptr<const model::Layer> share(const model::Layer& layer) { return {std::shared_ptr<void>(), &layer}; }

NTSTATUS show_layer(const model::Layer* layer, std::shared_ptr<const model::Layer>& out) {
  if (layer == nullptr) return STATUS_FWP_LAYER_NOT_FOUND;
  out = share(*layer);
  return STATUS_SUCCESS;
}

}  // namespace

NTSTATUS Management::get_provider(SessionId session, const GUID& key, std::shared_ptr<const model::Provider>& out) {
  return read(session, [&] { return look_up(objects_.providers, key, STATUS_FWP_PROVIDER_NOT_FOUND, out); });
}

NTSTATUS Management::get_sublayer(SessionId session, const GUID& key, std::shared_ptr<const model::SubLayer>& out) {
  return read(session, [&] { return look_up(objects_.sublayers, key, STATUS_FWP_SUBLAYER_NOT_FOUND, out); });
}

NTSTATUS Management::get_callout(SessionId session, const GUID& key,
                                 std::shared_ptr<const model::CalloutObject>& out) {
  return read(session, [&] { return look_up(objects_.callouts, key, STATUS_FWP_CALLOUT_NOT_FOUND, out); });
}

NTSTATUS Management::get_callout(SessionId session, std::uint32_t id,
                                 std::shared_ptr<const model::CalloutObject>& out) {
  const auto slot = callouts_table_.find(id);
  return slot != nullptr ? get_callout(session, slot->key(), out) : STATUS_FWP_CALLOUT_NOT_FOUND;
}

NTSTATUS Management::find_filter(std::uint64_t id, std::shared_ptr<const CompiledFilter>& out) const {
  const auto found = objects_.filters.find(id);
  if (found == objects_.filters.end()) return STATUS_FWP_FILTER_NOT_FOUND;
  out = found->second;
  return STATUS_SUCCESS;
}

NTSTATUS Management::get_filter(SessionId session, std::uint64_t id, std::shared_ptr<const CompiledFilter>& out) {
  return read(session, [&] { return find_filter(id, out); });
}

NTSTATUS Management::get_filter(SessionId session, const GUID& key, std::shared_ptr<const CompiledFilter>& out) {
  return read(session, [&] {
    const auto found = objects_.filter_ids.find(key);
    return find_filter(found != objects_.filter_ids.end() ? found->second : 0, out);
  });
}

NTSTATUS Management::get_layer(SessionId session, const GUID& key, std::shared_ptr<const model::Layer>& out) {
  return read(session, [&] { return show_layer(model::find_layer(key), out); });
}

NTSTATUS Management::get_layer(SessionId session, std::uint16_t id, std::shared_ptr<const model::Layer>& out) {
  return read(session, [&] { return show_layer(model::find_layer(id), out); });
}

// --- enumerations ---

template <class T>
NTSTATUS Management::enumerate(SessionId session, const std::function<bool(const T&)>& is_wanted, EnumerationId& id) {
  return read(session, [&]() -> NTSTATUS {
    if (enumerations_.size() >= kMaxEnumerations) return STATUS_INSUFFICIENT_RESOURCES;
    Page<T> found;
    if constexpr (std::is_same_v<T, model::Layer>) {
      for (const model::Layer& layer : model::layers())
        if (is_wanted(layer)) found.push_back(share(layer));
    } else if constexpr (std::is_same_v<T, model::SubLayer>) {
      found = those(objects_.sublayers, is_wanted);
    } else if constexpr (std::is_same_v<T, model::CalloutObject>) {
      found = those(objects_.callouts, is_wanted);
    } else {
      found = those(objects_.filters, is_wanted);
      std::ranges::sort(found, [](const auto& left, const auto& right) {
        if (left->filter.layer != right->filter.layer) return left->filter.layer < right->filter.layer;
        return is_evaluated_before(*left, *right);
      });
    }
    id = ++last_enumeration_;
    enumerations_.emplace(id, Enumeration{session, std::move(found), 0});
    return STATUS_SUCCESS;
  });
}

template <class T>
NTSTATUS Management::next_page(SessionId session, EnumerationId id, std::size_t count, Page<T>& out) {
  const std::lock_guard lock(lock_);
  const auto found = enumerations_.find(id);
  if (found == enumerations_.end() || found->second.session != session) return STATUS_INVALID_HANDLE;
  auto& [owner, all, next] = found->second;
  const auto* const objects = std::get_if<Page<T>>(&all);
  if (objects == nullptr) return STATUS_INVALID_HANDLE;  // of another kind
  const std::span page = std::span(*objects).subspan(next).first(std::min(count, objects->size() - next));
  out.assign(page.begin(), page.end());
  next += page.size();
  return STATUS_SUCCESS;
}

NTSTATUS Management::end_enumeration(SessionId session, EnumerationId id) {
  const std::lock_guard lock(lock_);
  const auto found = enumerations_.find(id);
  if (found == enumerations_.end() || found->second.session != session) return STATUS_INVALID_HANDLE;
  enumerations_.erase(found);
  return STATUS_SUCCESS;
}

#define WFPTAP_ENUMERABLE(T)                                                                                \
  template NTSTATUS Management::enumerate(SessionId, const std::function<bool(const T&)>&, EnumerationId&); \
  template NTSTATUS Management::next_page(SessionId, EnumerationId, std::size_t, Page<T>&);
WFPTAP_ENUMERABLE(model::Layer)
WFPTAP_ENUMERABLE(model::SubLayer)
WFPTAP_ENUMERABLE(model::CalloutObject)
WFPTAP_ENUMERABLE(CompiledFilter)
#undef WFPTAP_ENUMERABLE

}  // namespace wfp::engine
