#include "wfp/engine/callouts.hpp"

#include <chrono>
#include <utility>

#include "wfp/ledger/ledger.hpp"

namespace wfp::engine {
namespace {

constexpr auto kLookAgain = std::chrono::microseconds(100);  // while code of a callout still runs

const void* ledger_key(const CalloutSlot& slot) { return &slot; }

}  // namespace

bool CalloutUse::is_inside(const CalloutSlot& slot) {
  for (const CalloutUse* use = innermost_; use != nullptr; use = use->outer_)
    if (&use->slot_ == &slot) return true;
  return false;
}

CalloutTable::~CalloutTable() {
  for (const auto& slot : all()) delete slot->registration_.exchange(nullptr);
}

NTSTATUS CalloutTable::add(const Registration& registration, std::uint32_t* id) {
  std::shared_ptr<CalloutSlot> slot;
  {
    const std::lock_guard lock(lock_);
    slot = slot_locked(registration.key);
    if (slot == nullptr) return STATUS_FWP_TOO_MANY_CALLOUTS;
    if (slot->is_registered()) return STATUS_FWP_ALREADY_EXISTS;
    auto* const made = new Registration(registration);
    made->serial = ++last_serial_;
    slot->refusal_ = {};
    slot->registration_.store(made);
  }
  ledger::acquire_for(registration.driver, ledger::Kind::callout_registration, ledger_key(*slot),
                      "FwpsCalloutRegister");
  if (id != nullptr) *id = slot->id();
  return STATUS_SUCCESS;
}

void CalloutTable::add_builtin(std::uint32_t id, const Registration& registration) {
  const std::lock_guard lock(lock_);
  auto made = std::make_shared<CalloutSlot>(id, registration.key);
  auto* const kept = new Registration(registration);
  kept->serial = ++last_serial_;
  made->registration_.store(kept);
  by_key_.emplace(registration.key, made);
  by_id_.emplace(id, made);
}

NTSTATUS CalloutTable::remove(std::uint32_t id) { return remove_slot(find(id), "FwpsCalloutUnregisterById0"); }

NTSTATUS CalloutTable::remove(const GUID& key) {
  std::shared_ptr<CalloutSlot> slot;
  {
    const std::lock_guard lock(lock_);
    if (const auto found = by_key_.find(key); found != by_key_.end()) slot = found->second;
  }
  return remove_slot(slot, "FwpsCalloutUnregisterByKey0");
}

// A refusal is remembered: a driver that goes without looking at it is told later what it was.
NTSTATUS CalloutTable::remove_slot(const std::shared_ptr<CalloutSlot>& slot, const char* routine) {
  if (slot == nullptr) return STATUS_FWP_CALLOUT_NOT_FOUND;
  std::size_t contexts = 0;
  const NTSTATUS status = try_to_remove(*slot, contexts);
  const std::lock_guard lock(lock_);
  if (status == STATUS_SUCCESS) slot->refusal_ = {};
  if (status == STATUS_DEVICE_BUSY || status == STATUS_FWP_IN_USE) slot->refusal_ = {routine, status, contexts};
  return status;
}

// `contexts`: how many keep it.
NTSTATUS CalloutTable::try_to_remove(CalloutSlot& slot, std::size_t& contexts) {
  if (!slot.is_registered() || slot.id() < kFirstCalloutId) return STATUS_FWP_CALLOUT_NOT_FOUND;
  if (CalloutUse::is_inside(slot)) return STATUS_FWP_IN_USE;
  if (contexts = contexts_of(slot); contexts != 0) return STATUS_DEVICE_BUSY;
  auto registration = take_away(slot);
  if (registration == nullptr) return STATUS_FWP_CALLOUT_NOT_FOUND;
  if (contexts = contexts_of(slot); contexts == 0) return STATUS_SUCCESS;
  // A context came while the last calls ended. Its flowDeleteFn is still owed, so the code has to stay.
  const Registration* none = nullptr;
  const ledger::DriverId driver = registration->driver;
  if (!slot.registration_.compare_exchange_strong(none, registration.get())) {  // added anew
    flows_->drop(slot.id(), registration->serial);
    return STATUS_SUCCESS;
  }
  registration.release();
  ledger::acquire_for(driver, ledger::Kind::callout_registration, ledger_key(slot), "FwpsCalloutRegister");
  return STATUS_DEVICE_BUSY;
}

// Nobody finds the code any more; then those who found it before are waited for.
std::unique_ptr<const Registration> CalloutTable::take_away(CalloutSlot& slot) {
  std::unique_ptr<const Registration> registration(slot.registration_.exchange(nullptr));
  if (registration == nullptr) return registration;
  while (slot.in_use_.load() != 0) scheduler_.sleep_until(scheduler_.now() + kLookAgain);
  ledger::release(ledger::Kind::callout_registration, ledger_key(slot));
  return registration;
}

std::vector<LeftCallout> CalloutTable::remove_all_of(ledger::DriverId driver) {
  std::vector<LeftCallout> left;
  for (const auto& slot : all()) {
    const bool is_its = [&] {
      const CalloutUse use(*slot);
      return use && use->driver == driver;
    }();
    const auto registration = is_its ? take_away(*slot) : nullptr;
    if (registration == nullptr) continue;
    if (flows_ != nullptr) flows_->drop(slot->id(), registration->serial);
    const std::lock_guard lock(lock_);
    const auto refusal = std::exchange(slot->refusal_, {});
    left.push_back({slot->id(), refusal.routine, refusal.status, refusal.contexts});
  }
  return left;
}

void CalloutTable::set_description(std::uint32_t id, std::string text) {
  const std::lock_guard lock(lock_);
  descriptions_.insert_or_assign(id, std::move(text));
}

std::string CalloutTable::description(std::uint32_t id) const {
  const std::lock_guard lock(lock_);
  const auto found = descriptions_.find(id);
  return found != descriptions_.end() ? found->second : std::string();
}

std::shared_ptr<CalloutSlot> CalloutTable::slot(const GUID& key) {
  const std::lock_guard lock(lock_);
  return slot_locked(key);
}

// Slots stay: a driver that comes back gets its number again, as the filters that name it expect.
std::shared_ptr<CalloutSlot> CalloutTable::slot_locked(const GUID& key) {
  if (const auto found = by_key_.find(key); found != by_key_.end()) return found->second;
  if (by_key_.size() == kMaxCallouts) return nullptr;
  auto made = std::make_shared<CalloutSlot>(next_id_++, key);
  by_key_.emplace(key, made);
  by_id_.emplace(made->id(), made);
  return made;
}

std::shared_ptr<CalloutSlot> CalloutTable::find(std::uint32_t id) const {
  const std::lock_guard lock(lock_);
  const auto found = by_id_.find(id);
  return found != by_id_.end() ? found->second : nullptr;
}

std::vector<std::shared_ptr<CalloutSlot>> CalloutTable::all() const {
  const std::lock_guard lock(lock_);
  std::vector<std::shared_ptr<CalloutSlot>> out;
  out.reserve(by_id_.size());
  for (const auto& [id, slot] : by_id_) out.push_back(slot);
  return out;
}

}  // namespace wfp::engine
