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

// What Windows answers with a bug check or with a later crash is named here, kind by kind.
UnloadResult Driver::clean_up() {
  UnloadResult result;
  const auto report = [&](std::string_view rule_id, const std::string& message) {
    result.left.push_back(message);
    report_violation(rule_id, message);
  };
  Scheduler& scheduler = Kernel::current().scheduler();
  if (const std::size_t timers = quiesce(); timers != 0)
    report(ledger::rule::kTimerLeak,
           text("%s unloaded with %zu timers set; cancel them in DriverUnload", name_.c_str(), timers));
  for (const std::string& thread : scheduler.threads_of(id_)) {
    result.code_in_use = true;
    report(ledger::rule::kThreadLeak,
           text("%s unloaded while its %s still runs; signal it and wait for the thread object", name_.c_str(),
                thread.c_str()));
  }
  for (PDEVICE_OBJECT device = object_.DeviceObject; device != nullptr;) {
    report(ledger::rule::kDeviceLeak,
           text("%s unloaded without IoDeleteDevice for %p", name_.c_str(), static_cast<void*>(device)));
    PDEVICE_OBJECT next = device->NextDevice;
    IoDeleteDevice(device);
    device = next;
  }
  if (const std::size_t handles = ledger::alive_count(id_, ledger::Kind::file_handle); handles != 0)
    report(ledger::rule::kHandleLeak,
           text("%s unloaded with %zu handles open; close them with ZwClose", name_.c_str(), handles));
  if (const std::size_t items = ledger::alive_count(id_, ledger::Kind::work_item); items != 0)
    report(ledger::rule::kWorkItem,
           text("%s unloaded with %zu work items allocated; IoFreeWorkItem them", name_.c_str(), items));
  constexpr std::pair<ledger::Kind, const char*> kPacketKinds[] = {
      {ledger::Kind::clone, "FwpsFreeCloneNetBufferList0 frees a clone, in its completion function at the latest"},
      {ledger::Kind::nbl_reference, "each FwpsReferenceNetBufferList0 wants one FwpsDereferenceNetBufferList0"},
      {ledger::Kind::net_buffer_list, "FwpsFreeNetBufferList0 frees it, in its completion function at the latest"},
      {ledger::Kind::mdl, "IoFreeMdl or NdisFreeMdl frees it"},
      {ledger::Kind::buffer_pool, "NdisFreeNetBufferListPool or NdisFreeNetBufferPool frees it"}};
  for (const auto& [kind, advice] : kPacketKinds)
    if (const std::size_t count = ledger::alive_count(id_, kind); count != 0)
      report(ledger::rule::kResidue, text("%s unloaded with %zu of kind %s alive; %s", name_.c_str(), count,
                                          std::string{ledger::name_of(kind)}.c_str(), advice));
  for (const PoolLeak& leak : PoolMemory::leaks(id_))
    report(ledger::rule::kPoolLeak, text("%s unloaded with %zu pool blocks (%zu bytes) of tag '%s' allocated",
                                         name_.c_str(), leak.count, leak.bytes, leak.tag.c_str()));
  return result;
}

}  // namespace wfp::kernel
