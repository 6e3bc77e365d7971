// From committed objects to what classifications read, and the end of what they read before.
#include <algorithm>
#include <array>
#include <chrono>

#include "wfp/engine/epoch.hpp"
#include "wfp/engine/management.hpp"
#include "wfp/engine/notify.hpp"

namespace wfp::engine {
namespace {

constexpr auto kLookAgain = std::chrono::microseconds(100);
constexpr auto kPatience = std::chrono::seconds(1);  // with readers; later, collect() gives the notices

using Filters = std::vector<std::shared_ptr<CompiledFilter>>;

bool is_before(const std::shared_ptr<CompiledFilter>& left, const std::shared_ptr<CompiledFilter>& right) {
  return is_evaluated_before(*left, *right);
}

void take_out(Filters& from, const std::shared_ptr<CompiledFilter>& filter) {
  const auto at = std::lower_bound(from.begin(), from.end(), filter, is_before);
  if (at != from.end() && *at == filter) from.erase(at);
}

// The version that follows `before`. Layers that nothing changes are shared by both.
std::unique_ptr<const Snapshot> make_next(const Snapshot& before, const Filters& added, const Filters& deleted) {
  auto next = std::make_unique<Snapshot>(before);
  ++next->version;
  std::array<std::optional<Filters>, model::kLayerCount> changed;
  const auto list_of = [&](std::uint16_t layer) -> Filters& {
    auto& list = changed[layer];
    if (!list) list = before.layers[layer] != nullptr ? before.layers[layer]->filters() : Filters();
    return *list;
  };
  for (const auto& filter : deleted) take_out(list_of(filter->filter.layer), filter);
  for (const auto& filter : added) list_of(filter->filter.layer).push_back(filter);
  for (std::size_t layer = 0; layer < model::kLayerCount; ++layer)
    if (auto& list = changed[layer])
      next->layers[layer] = list->empty() ? nullptr : std::make_shared<const LayerFilters>(std::move(*list));
  return next;
}

}  // namespace

// False: a callout refused one; those told of theirs are told that it is gone.
bool Management::announce_added() {
  for (std::size_t i = 0; i < added_.size(); ++i) {
    if (NT_SUCCESS(notify_added(*added_[i]))) continue;
    while (i-- != 0) notify_deleted(*added_[i]);
    return false;
  }
  return true;
}

void Management::publish() {
  undo_.clear();
  const Filters added = std::exchange(added_, {});
  Filters deleted = std::exchange(deleted_, {});
  if (added.empty() && deleted.empty()) return;

  // Only the holder of the transaction replaces what is read here.
  std::unique_ptr<const Snapshot> next = make_next(snapshot(), added, deleted);
  std::unique_ptr<const Snapshot> old(snapshot_.exchange(next.release()));
  published_(added, deleted);
  for (const auto& filter : added) notify_committed(*filter);
  retire(std::move(old), std::move(deleted));
}

void Management::retire(std::unique_ptr<const Snapshot> old, Filters deleted) {
  const std::uint64_t ticket = epoch::retire();
  // Who is registered when a filter goes is told, also of one that is older than the registration.
  std::erase_if(deleted, [](const auto& filter) { return !expect_delete_notice(*filter); });
  const bool has_notices = !deleted.empty();
  {
    const std::lock_guard lock(retired_lock_);
    retired_.push_back({ticket, std::move(old), std::move(deleted)});
  }
  if (has_notices) wait_for_readers(ticket);
  collect();
}

// Drivers free a filter's context in the delete notice, and unload soon after the delete: so the notice comes with
// the call where it can. A thread that reads itself, inside a classify, cannot wait for itself.
void Management::wait_for_readers(std::uint64_t ticket) {
  if (epoch::is_reading()) return;
  const kernel::Instant deadline = scheduler_.now() + kPatience;
  while (!epoch::is_quiet(ticket) && scheduler_.now() < deadline)
    scheduler_.sleep_until(scheduler_.now() + kLookAgain);
}

void Management::collect() {
  std::vector<Retired> done;
  {
    const std::lock_guard lock(retired_lock_);
    const auto quiet = std::stable_partition(retired_.begin(), retired_.end(),
                                             [](const Retired& one) { return !epoch::is_quiet(one.ticket); });
    std::move(quiet, retired_.end(), std::back_inserter(done));
    retired_.erase(quiet, retired_.end());
  }
  for (const Retired& one : done)
    for (const auto& filter : one.deleted) notify_deleted(*filter);
}

}  // namespace wfp::engine
