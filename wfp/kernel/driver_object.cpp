#include "wfp/kernel/driver_object.hpp"

#include <algorithm>
#include <utility>

#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/kernel.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/kernel/unicode.hpp"
#include "wfp/ledger/rules.hpp"

namespace wfp::kernel {
namespace {

UNICODE_STRING string_of(std::u16string& text16) {
  const auto size = static_cast<USHORT>(text16.size() * sizeof(char16_t));
  return {size, static_cast<USHORT>(size + sizeof(char16_t)), reinterpret_cast<PWSTR>(text16.data())};
}

constexpr int kQuiesceRounds = 3;

NTSTATUS no_dispatch(PDEVICE_OBJECT, PIRP) { return STATUS_INVALID_DEVICE_REQUEST; }

// Kinds of objects that the ledger counts, in the order in which unload names what is left of them.
struct CountedKind {
  ledger::Kind kind;
  ledger::rule::Id rule;
  const char* what;  // behind the number
  const char* advice;
};
constexpr CountedKind kCountedKinds[] = {
    {ledger::Kind::file_handle, ledger::rule::kHandleLeak, "handles open", "close them with ZwClose"},
    {ledger::Kind::work_item, ledger::rule::kWorkItem, "work items allocated", "IoFreeWorkItem them"},
    {ledger::Kind::clone, ledger::rule::kResidue, "of kind clone alive",
     "FwpsFreeCloneNetBufferList0 frees a clone, in its completion function at the latest"},
    {ledger::Kind::nbl_reference, ledger::rule::kResidue, "of kind nbl_reference alive",
     "each FwpsReferenceNetBufferList0 wants one FwpsDereferenceNetBufferList0"},
    {ledger::Kind::net_buffer_list, ledger::rule::kResidue, "of kind net_buffer_list alive",
     "FwpsFreeNetBufferList0 frees it, in its completion function at the latest"},
    {ledger::Kind::mdl, ledger::rule::kResidue, "of kind mdl alive", "IoFreeMdl or NdisFreeMdl frees it"},
    {ledger::Kind::buffer_pool, ledger::rule::kResidue, "of kind buffer_pool alive",
     "NdisFreeNetBufferListPool or NdisFreeNetBufferPool frees it"},
};

// What an unloaded driver left, named kind by kind: Windows answers it with a bug check or with a later crash.
class LeftBehind {
 public:
  LeftBehind(const std::string& driver, ledger::DriverId id) : driver_(driver.c_str()), id_(id) {}

  void name_timers(std::size_t count) {
    if (count != 0)
      report(ledger::rule::kTimerLeak,
             text("%s unloaded with %zu timers set; cancel them in DriverUnload", driver_, count));
  }

  void name_threads() {
    for (const std::string& thread : Kernel::current().scheduler().threads_of(id_)) {
      result_.code_in_use = true;
      report(ledger::rule::kThreadLeak,
             text("%s unloaded while its %s still runs; signal it and wait for the thread object", driver_,
                  thread.c_str()));
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
    for (const CountedKind& counted : kCountedKinds)
      if (const std::size_t count = ledger::alive_count(id_, counted.kind); count != 0)
        report(counted.rule, text("%s unloaded with %zu %s; %s", driver_, count, counted.what, counted.advice));
  }

  void name_pool_blocks() {
    for (const PoolLeak& leak : PoolMemory::leaks(id_))
      report(ledger::rule::kPoolLeak, text("%s unloaded with %zu pool blocks (%zu bytes) of tag '%s' allocated",
                                           driver_, leak.count, leak.bytes, leak.tag.c_str()));
  }

  UnloadResult take_result() { return std::move(result_); }

 private:
  void report(ledger::rule::Id rule, const std::string& message) {
    result_.left.push_back(message);
    report_violation(rule, message);
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
      registry_path_(kServicesPath + to_utf16(name_)) {}

Driver::~Driver() {
  if (loaded_) unload();
}

NTSTATUS Driver::load(DRIVER_INITIALIZE* entry) {
  if (loaded_ || entry == nullptr) return STATUS_INVALID_PARAMETER;
  object_ = {};
  object_.Type = 4;  // the documented type number of driver objects
  object_.Size = static_cast<CSHORT>(sizeof object_);
  object_.DriverName = string_of(object_name_);
  object_.DriverInit = entry;
  for (auto& function : object_.MajorFunction) function = no_dispatch;
  UNICODE_STRING path = string_of(registry_path_);
  const ledger::DriverScope scope(id_);
  const IrqlScope level(PASSIVE_LEVEL);
  const NTSTATUS status = entry(&object_, &path);
  loaded_ = NT_SUCCESS(status);
  if (!loaded_) clean_up();
  return status;
}

UnloadResult Driver::unload() {
  if (!loaded_ || object_.DriverUnload == nullptr) return {};
  const ledger::DriverScope scope(id_);
  const IrqlScope level(PASSIVE_LEVEL);
  object_.DriverUnload(&object_);
  loaded_ = false;
  UnloadResult result = clean_up();
  result.unloaded = true;
  return result;
}

// Ends what would call into the driver by itself: timers, DPCs, and work items, which keep a driver loaded as their
// device object does on Windows. What runs may start more (a DPC sets its timer again or queues a work item, that one
// a DPC): hence rounds. Returns how many timers were set at once.
std::size_t Driver::quiesce() {
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
  return left.take_result();
}

}  // namespace wfp::kernel
