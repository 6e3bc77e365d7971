// A loaded driver: its DRIVER_OBJECT, its registry path and its accounting scope. load() calls DriverEntry, unload()
// calls DriverUnload and then waits for and reports what the driver left behind. Both run at PASSIVE_LEVEL on the
// caller's thread, which may be any thread of the program; the network must go on being served meanwhile (a
// processor's own thread serves posted tasks and DPCs while the driver waits). The code of the driver must stay
// mapped until the Driver is destroyed, and for good when unload() says that threads are left.
#pragma once

#include <string>
#include <vector>

#include "nt/io.h"
#include "wfp/ledger/ledger.hpp"

namespace wfp::kernel {

struct UnloadResult {
  bool unloaded = false;          // false: the driver has no DriverUnload, or is not loaded
  bool code_in_use = false;       // threads are left: never unmap the code
  std::vector<std::string> left;  // one line for everything left behind, as reported
};

class Driver {
 public:
  explicit Driver(std::string name);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  NTSTATUS load(DRIVER_INITIALIZE* entry);  // a failed DriverEntry is cleaned up after and reported as after unload
  UnloadResult unload();

  const std::string& name() const { return name_; }
  ledger::DriverId id() const { return id_; }
  DRIVER_OBJECT& object() { return object_; }
  bool is_loaded() const { return loaded_; }

 private:
  NTSTATUS call_entry(DRIVER_INITIALIZE& entry, UNICODE_STRING& path);
  void call_unload();
  std::size_t quiesce();
  UnloadResult clean_up();

  std::string name_;
  ledger::DriverId id_;
  std::u16string object_name_, service_name_, registry_path_;
  DRIVER_OBJECT object_{};
  DRIVER_EXTENSION extension_{};
  bool loaded_ = false;
};

// \REGISTRY\MACHINE\SYSTEM\CurrentControlSet\Services\ and the driver's name.
inline constexpr char16_t kServicesPath[] = u"\\REGISTRY\\MACHINE\\SYSTEM\\CurrentControlSet\\Services\\";

}  // namespace wfp::kernel
