#include "src/app/control/trace_hub.hpp"

#include <algorithm>
#include <utility>

namespace app::control {

namespace {
constexpr std::size_t kMaxRememberedCallouts = 256;
}

TraceListener::Batch TraceListener::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(next_, {});
}

void TraceListener::offer(const output::TraceEntry& entry) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    // Once records are missing the rest of the batch is, too: the loss stands in one place.
    const bool loses = next_.dropped > 0 || next_.entries.size() >= kMaxListenerRecords;
    if (loses)
      ++next_.dropped;
    else
      next_.entries.push_back(entry);
    first = next_.entries.size() == 1 && !loses;
  }
  if (first) changed_();
}

bool TraceHub::is_wanted() {
  const std::lock_guard lock(mutex_);
  return is_wanted_locked();
}

void TraceHub::set_file(output::TraceFile* file) {
  {
    const std::lock_guard lock(mutex_);
    file_ = file;
  }
  changed_();
}

std::shared_ptr<TraceListener> TraceHub::listen(std::string layer, std::function<void()> changed) {
  auto listener = std::make_shared<TraceListener>(std::move(layer), std::move(changed));
  {
    const std::lock_guard lock(mutex_);
    listeners_.push_back(listener);
  }
  changed_();
  return listener;
}

void TraceHub::leave(const std::shared_ptr<TraceListener>& listener) {
  {
    const std::lock_guard lock(mutex_);
    std::erase(listeners_, listener);
  }
  changed_();
}

void TraceHub::classified(const shim::TraceRecord& record) {
  const std::lock_guard lock(mutex_);
  const bool heard = std::any_of(listeners_.begin(), listeners_.end(),
                                 [&](const auto& listener) { return listener->wants(record.layer_name); });
  if (file_ == nullptr && !heard) return;
  auto entry = output::TraceEntry::of(record, 0);
  entry.time_ns = clock_();  // the record has the time of the stack's turn
  if (record.callout_id != 0) entry.driver = driver_of(record.callout_id);
  for (auto& call : entry.callouts) call.driver = driver_of(call.callout_id);
  for (const auto& listener : listeners_)
    if (listener->wants(record.layer_name)) listener->offer(entry);
  if (file_ != nullptr) file_->write(std::move(entry));
}

const std::string& TraceHub::driver_of(std::uint32_t callout_id) {
  static const std::string kUnknown;
  const auto known =
      std::find_if(drivers_.begin(), drivers_.end(), [&](const auto& d) { return d.first == callout_id; });
  if (known != drivers_.end()) return known->second;
  if (!lookup_) return kUnknown;
  if (drivers_.size() >= kMaxRememberedCallouts) drivers_.clear();
  return drivers_.emplace_back(callout_id, lookup_(callout_id)).second;
}

}  // namespace app::control
