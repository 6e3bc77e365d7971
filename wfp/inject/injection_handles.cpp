#include "wfp/inject/injection_handles.hpp"

#include <array>
#include <utility>

#include "fwps/inject.h"
#include "nt/ntstatus.h"
#include "ws2def.h"

namespace wfp::inject {
namespace {

constexpr std::uint32_t kTypesOfZero =
    FWPS_INJECTION_TYPE_TRANSPORT | FWPS_INJECTION_TYPE_STREAM | FWPS_INJECTION_TYPE_FORWARD;

std::string names_of(std::uint32_t types) {
  constexpr std::array<std::pair<std::uint32_t, const char*>, 6> kNames{{
      {FWPS_INJECTION_TYPE_STREAM, "FWPS_INJECTION_TYPE_STREAM"},
      {FWPS_INJECTION_TYPE_TRANSPORT, "FWPS_INJECTION_TYPE_TRANSPORT"},
      {FWPS_INJECTION_TYPE_NETWORK, "FWPS_INJECTION_TYPE_NETWORK"},
      {FWPS_INJECTION_TYPE_FORWARD, "FWPS_INJECTION_TYPE_FORWARD"},
      {FWPS_INJECTION_TYPE_L2, "FWPS_INJECTION_TYPE_L2"},
      {FWPS_INJECTION_TYPE_VSWITCH_TRANSPORT, "FWPS_INJECTION_TYPE_VSWITCH_TRANSPORT"},
  }};
  std::string text;
  for (const auto& [bit, name] : kNames)
    if ((types & bit) != 0) text += (text.empty() ? "" : " | ") + std::string(name);
  return text;
}

const char* name_of_family(std::uint16_t family) {
  return family == AF_INET ? "AF_INET" : family == AF_INET6 ? "AF_INET6" : "of no family";
}

}  // namespace

HandleValue InjectionHandles::create(std::uint16_t address_family, std::uint32_t types) {
  const std::lock_guard guard(lock_);
  const HandleValue handle = handles_.emplace();
  if (handle == 0) return 0;
  Entry& entry = *handles_.find(handle);
  entry.address_family = address_family;
  entry.types = types == 0 ? kTypesOfZero : types;
  entry.driver = ledger::current_driver();
  return handle;
}

NTSTATUS InjectionHandles::begin(HandleValue handle, std::uint32_t type, std::uint16_t address_family) {
  const std::lock_guard guard(lock_);
  Entry* const entry = handles_.find(handle);
  if (entry == nullptr || (entry->types & type) == 0) return STATUS_FWP_INJECT_HANDLE_STALE;
  if (entry->closing) return STATUS_FWP_INJECT_HANDLE_CLOSING;
  const bool fits =
      entry->address_family == AF_UNSPEC || address_family == AF_UNSPEC || entry->address_family == address_family;
  if (!fits) return STATUS_INVALID_PARAMETER;  // the handle is well, the packet is not
  ++entry->outstanding;
  return STATUS_SUCCESS;
}

std::string InjectionHandles::why_not(HandleValue handle, std::uint32_t type, std::uint16_t address_family) const {
  if (handle == 0) return "injectionHandle is NULL; FwpsInjectionHandleCreate0 makes one before the first packet";
  const std::lock_guard guard(lock_);
  const Entry* const entry = handles_.find(handle);
  if (entry == nullptr) return "injectionHandle is no injection handle, or was destroyed";
  if (entry->closing) return "FwpsInjectionHandleDestroy0 is destroying the handle";
  if ((entry->types & type) == 0)
    return "the handle was not created for " + names_of(type) + " but for " + names_of(entry->types);
  return std::string("the handle was created for ") + name_of_family(entry->address_family) + ", and the packet is " +
         name_of_family(address_family);
}

void InjectionHandles::finished(HandleValue handle) {
  std::shared_ptr<KEVENT> idle;
  {
    const std::lock_guard guard(lock_);
    Entry* const entry = handles_.find(handle);
    if (entry == nullptr || entry->outstanding == 0) return;
    if (--entry->outstanding == 0) idle = entry->idle;
  }
  if (idle != nullptr) scheduler_.set_state(idle->Header, 1);
}

bool InjectionHandles::close(HandleValue handle) {
  auto idle = std::make_shared<KEVENT>();
  KeInitializeEvent(idle.get(), NotificationEvent, FALSE);
  const std::lock_guard guard(lock_);
  Entry* const entry = handles_.find(handle);
  if (entry == nullptr || entry->closing) return false;
  entry->closing = true;
  entry->idle = std::move(idle);
  return true;
}

void InjectionHandles::reopen(HandleValue handle) {
  const std::lock_guard guard(lock_);
  Entry* const entry = handles_.find(handle);
  if (entry == nullptr) return;
  entry->closing = false;
  entry->idle.reset();
}

std::size_t InjectionHandles::outstanding(HandleValue handle) const {
  const std::lock_guard guard(lock_);
  const Entry* const entry = handles_.find(handle);
  return entry == nullptr ? 0 : entry->outstanding;
}

void InjectionHandles::wait_until_idle(HandleValue handle) {
  std::shared_ptr<KEVENT> idle;
  {
    const std::lock_guard guard(lock_);
    Entry* const entry = handles_.find(handle);
    if (entry == nullptr || entry->outstanding == 0) return;
    idle = entry->idle;
  }
  if (idle != nullptr) scheduler_.wait(idle.get(), kernel::kNever);
}

void InjectionHandles::erase(HandleValue handle) {
  const std::lock_guard guard(lock_);
  handles_.erase(handle);
}

std::vector<HandleValue> InjectionHandles::handles_of(ledger::DriverId driver) {
  std::vector<HandleValue> found;
  const std::lock_guard guard(lock_);
  handles_.for_each([&](HandleValue handle, const Entry& entry) {
    if (entry.driver == driver && !entry.closing) found.push_back(handle);
  });
  return found;
}

bool InjectionHandles::exists(HandleValue handle) const {
  const std::lock_guard guard(lock_);
  return handles_.find(handle) != nullptr;
}

}  // namespace wfp::inject
