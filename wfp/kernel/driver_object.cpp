#include "wfp/kernel/driver_object.hpp"

#include <algorithm>
#include <utility>

#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/kernel.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/kernel/unicode.hpp"
#include "wfp/ledger/driver_call.hpp"
#include "wfp/ledger/rules.hpp"
#include "wfp/ledger/violation.hpp"

namespace wfp::kernel {
namespace {

UNICODE_STRING string_of(std::u16string& text16) {
  const auto size = static_cast<USHORT>(text16.size() * sizeof(char16_t));
  return {size, static_cast<USHORT>(size + sizeof(char16_t)), reinterpret_cast<PWSTR>(text16.data())};
}

constexpr int kQuiesceRounds = 3;

NTSTATUS no_dispatch(PDEVICE_OBJECT, PIRP) { return STATUS_INVALID_DEVICE_REQUEST; }

// What unload says of each kind of object that is left; in the order in which it says it.
struct LeftKind {
  ledger::Kind kind;
  ledger::rule::Id rule;  // null: said elsewhere, and `advice` tells where
  const char* what;       // singular, behind the number
  const char* advice;
};
constexpr LeftKind kLeftKinds[] = {
    {ledger::Kind::file_handle, ledger::rule::kHandleLeak, "open handle", "ZwClose closes each"},
    {ledger::Kind::work_item, ledger::rule::kWorkItem, "work item", "IoFreeWorkItem frees each"},
    {ledger::Kind::injection, ledger::rule::kResidue, "unfinished injection",
     "FwpsInjectionHandleDestroy0 in DriverUnload waits for the completion functions"},
    {ledger::Kind::injection_handle, ledger::rule::kResidue, "injection handle",
     "FwpsInjectionHandleDestroy0 destroys each"},
    {ledger::Kind::clone, ledger::rule::kResidue, "clone",
     "FwpsFreeCloneNetBufferList0 frees each, in its completion function at the latest"},
    {ledger::Kind::nbl_reference, ledger::rule::kResidue, "packet reference",
     "each FwpsReferenceNetBufferList0 wants one FwpsDereferenceNetBufferList0"},
    {ledger::Kind::net_buffer_list, ledger::rule::kResidue, "NET_BUFFER_LIST",
     "FwpsFreeNetBufferList0 frees each, in its completion function at the latest"},
    {ledger::Kind::net_buffer, ledger::rule::kResidue, "NET_BUFFER", "NdisFreeNetBuffer frees each"},
    {ledger::Kind::mdl, ledger::rule::kResidue, "MDL", "IoFreeMdl or NdisFreeMdl frees each"},
    {ledger::Kind::buffer_pool, ledger::rule::kResidue, "buffer pool",
     "NdisFreeNetBufferListPool or NdisFreeNetBufferPool frees each"},
    {ledger::Kind::flow_context, ledger::rule::kResidue, "flow context",
     "FwpsFlowRemoveContext0 removes each; no flowDeleteFn is called for them any more"},
    {ledger::Kind::classify_handle, ledger::rule::kResidue, "classify handle",
     "FwpsReleaseClassifyHandle0 releases each"},
    {ledger::Kind::lookaside_list, ledger::rule::kResidue, "lookaside list", "ExDeleteLookasideListEx deletes each"},
    {ledger::Kind::other, ledger::rule::kResidue, "NDIS object", "NdisFreeGenericObject frees each"},
    {ledger::Kind::pool_allocation, nullptr, "", "by tag: name_pool_blocks"},
    {ledger::Kind::device_object, nullptr, "", "one by one: name_devices"},
    {ledger::Kind::pended_operation, nullptr, "", "Pends::complete_all_of (wfp/ale)"},
    {ledger::Kind::callout_registration, nullptr, "", "Engine::remove_driver (wfp/engine)"},
    {ledger::Kind::engine_session, nullptr, "", "Engine::remove_driver (wfp/engine)"},
    {ledger::Kind::thread, nullptr, "", "not entered: name_threads asks the scheduler"},
    {ledger::Kind::timer, nullptr, "", "not entered: name_timers asks the scheduler"},
    {ledger::Kind::dpc, nullptr, "", "not entered: they run out in quiesce"},
};

constexpr bool is_every_kind_said_once() {
  for (std::size_t kind = 0; kind < ledger::kKindCount; ++kind)
    if (std::ranges::count(kLeftKinds, static_cast<ledger::Kind>(kind), &LeftKind::kind) != 1) return false;
  return true;
}
static_assert(is_every_kind_said_once(), "a new kind of the ledger needs a row in kLeftKinds");

// What an unloaded driver left, named kind by kind: Windows answers it with a bug check or with a later crash.
class LeftBehind {
 public:
  LeftBehind(const std::string& driver, ledger::DriverId id) : driver_(driver.c_str()), id_(id) {}

  void name_timers(std::size_t count) {
    if (count != 0)
      report(ledger::rule::kTimerLeak,
             text("%s unloaded with %s set; cancel each in DriverUnload", driver_, counted(count, "timer").c_str()));
  }

  void name_threads() {
    for (const std::string& thread : Kernel::current().scheduler().threads_of(id_)) {
      result_.code_in_use = true;
      report(ledger::rule::kThreadLeak,
             text("%s unloaded while its system %s still runs; signal it and wait for the thread object", driver_,
                  thread.substr(0, thread.find(" of ")).c_str()));
    }
  }

  void name_devices(PDEVICE_OBJECT first) {  // and deletes them
    for (PDEVICE_OBJECT device = first; device != nullptr;) {
      report(ledger::rule::kDeviceLeak,
             text("%s unloaded without IoDeleteDevice for %p", driver_, static_cast<void*>(device)));
      PDEVICE_OBJECT next = device->NextDevice;
      IoDeleteDevice(device);
      device = next;
    }
  }

  void name_objects() {
    for (const LeftKind& left : kLeftKinds) {
      const std::size_t count = left.rule != nullptr ? ledger::alive_count(id_, left.kind) : 0;
      if (count != 0)
        report(left.rule,
               text("%s unloaded with %s; %s", driver_, counted(count, left.what).c_str(), advice_for(left).c_str()),
               left.kind);
    }
  }

  void name_pool_blocks() {
    for (const PoolLeak& leak : PoolMemory::leaks(id_))
      report(ledger::rule::kPoolLeak,
             text("%s unloaded with %s (%s) of tag '%s' allocated", driver_,
                  counted(leak.count, "pool block").c_str(), counted(leak.bytes, "byte").c_str(), leak.tag.c_str()),
             ledger::Kind::pool_allocation, leak.tag);
  }

  UnloadResult take_result() { return std::move(result_); }

 private:
  // A packet whose injection was refused never comes to the completion function that would have freed it.
  std::string advice_for(const LeftKind& left) const {
    const bool is_packet = left.kind == ledger::Kind::clone || left.kind == ledger::Kind::net_buffer_list;
    const std::size_t refused = is_packet ? ledger::refused_count(id_, left.kind) : 0;
    if (refused == 0) return left.advice;
    return text(
        "%s given to an injection call that failed, whose completion function is not called: free the packet "
        "where the call fails",
        (counted(refused, left.what) + (refused == 1 ? " was" : " were")).c_str());
  }

  // With the places where what is left of the kind was acquired.
  void report(ledger::rule::Id rule, const std::string& message, ledger::Kind kind = ledger::Kind::thread,
              std::string_view detail = {}) {
    result_.left.push_back(message);
    ledger::Violation violation;
    violation.rule = rule;
    violation.message = message;
    violation.driver = id_;
    violation.origins = ledger::acquired_at(id_, kind, detail);
    violation.packet = ledger::oldest_packet(id_, kind);
    ledger::report(std::move(violation));
  }

  const char* driver_;
  ledger::DriverId id_;
  UnloadResult result_;
};

}  // namespace

Driver::Driver(std::string name)
    : name_(std::move(name)),
      id_(ledger::add_driver(name_)),
      object_name_(u"\\Driver\\" + to_utf16(name_)),
      service_name_(to_utf16(name_)),
      registry_path_(kServicesPath + to_utf16(name_)) {}

Driver::~Driver() {
  if (loaded_) unload();
}

NTSTATUS Driver::call_entry(DRIVER_INITIALIZE& entry, UNICODE_STRING& path) {
  const ledger::DriverCall under_way(ledger::CallKind::Entry);
  return entry(&object_, &path);
}

void Driver::call_unload() {
  const ledger::DriverCall under_way(ledger::CallKind::Unload);
  object_.DriverUnload(&object_);
}

NTSTATUS Driver::load(DRIVER_INITIALIZE* entry) {
  if (loaded_ || entry == nullptr) return STATUS_INVALID_PARAMETER;
  object_ = {};
  object_.Type = 4;  // the documented type number of driver objects
  object_.Size = static_cast<CSHORT>(sizeof object_);
  object_.DriverName = string_of(object_name_);
  object_.DriverInit = entry;
  extension_ = {
      .DriverObject = &object_, .AddDevice = nullptr, .Count = 0, .ServiceKeyName = string_of(service_name_)};
  object_.DriverExtension = &extension_;
  for (auto& function : object_.MajorFunction) function = no_dispatch;
  UNICODE_STRING path = string_of(registry_path_);
  const ledger::DriverScope scope(id_);
  const IrqlScope level(PASSIVE_LEVEL);
  const NTSTATUS status = call_entry(*entry, path);
  loaded_ = NT_SUCCESS(status);
  if (!loaded_) clean_up();
  return status;
}

UnloadResult Driver::unload() {
  if (loaded_ && object_.DriverUnload == nullptr) Kernel::current().pool().sweep(id_);  // it is not looked at later
  if (!loaded_ || object_.DriverUnload == nullptr) return {};
  const ledger::DriverScope scope(id_);
  const IrqlScope level(PASSIVE_LEVEL);
  call_unload();
  loaded_ = false;
  UnloadResult result = clean_up();
  result.unloaded = true;
  return result;
}

// Ends what would call into the driver by itself: timers, DPCs, and work items, which keep a driver loaded as their
// device object does on Windows. What runs may start more (a DPC sets its timer again or queues a work item, that one
// a DPC): hence rounds. Returns how many timers were set at once.
std::size_t Driver::quiesce() {
  const ledger::DriverCall under_way(ledger::CallKind::Quiesce);
  Scheduler& scheduler = Kernel::current().scheduler();
  std::size_t timers = 0;
  for (int round = 0; round < kQuiesceRounds; ++round) {
    timers = std::max(timers, scheduler.cancel_timers_of(id_));
    scheduler.flush_dpcs();
    scheduler.drain_work(id_);
  }
  return timers;
}

UnloadResult Driver::clean_up() {
  LeftBehind left(name_, id_);
  left.name_timers(quiesce());
  left.name_threads();
  left.name_devices(object_.DeviceObject);
  left.name_objects();
  left.name_pool_blocks();
  Kernel::current().pool().sweep(id_);
  return left.take_result();
}

}  // namespace wfp::kernel
