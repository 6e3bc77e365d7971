// Loads and unloads drivers: file, registry parameters, DriverEntry, DriverUnload, what was left behind, unmapping.
// The name is the key: a driver is loaded once.
//
// All of it on one thread of the program at PASSIVE_LEVEL, never the stack's: the stack goes on running, which is
// what a DriverUnload that waits for its packets needs. records() from any thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "src/app/drivers/driver_file.hpp"
#include "src/app/output/report.hpp"
#include "wfp/kernel/driver_object.hpp"
#include "wfp/kernel/registry.hpp"

namespace app {

class DriverLoader {
 public:
  // `removed` is called with each driver after DriverUnload, before its file is unmapped: the engine takes away what
  // is left.
  DriverLoader(wfp::kernel::Registry& registry, std::function<void(const wfp::kernel::Driver&)> removed);
  ~DriverLoader();
  DriverLoader(const DriverLoader&) = delete;
  DriverLoader& operator=(const DriverLoader&) = delete;

  // The name that the driver has now.
  Parsed<std::string> load(const std::string& name_or_path, const std::vector<DriverParameter>& parameters);
  // What the driver left behind, as it is in its record and reported as violations; an error: it is still loaded.
  Parsed<std::vector<std::string>> unload(const std::string& name);
  void unload_all();  // the latest first

  // What was ever loaded, in the order of first loading; for the report.
  std::vector<output::DriverRecord> records() const;
  // Objects that drivers still held when they were unloaded, by kind. A driver that is loaded now is not counted.
  std::map<std::string, std::uint64_t> objects_left() const;
  // Names and ids of those that are loaded now.
  std::vector<std::pair<std::string, wfp::ledger::DriverId>> loaded() const;

 private:
  struct Loaded {
    std::unique_ptr<wfp::kernel::Driver> driver;
    std::unique_ptr<DriverFile> file;
    std::size_t record;  // its place in records_
  };
  std::vector<Loaded>::iterator find(const std::string& name);
  std::vector<std::string> finish_unload(Loaded& loaded, const wfp::kernel::UnloadResult& result);
  std::size_t record_for(const DriverPath& path);  // mutex_ held; a driver that comes back keeps its record

  wfp::kernel::Registry& registry_;
  std::function<void(const wfp::kernel::Driver&)> removed_;
  std::vector<Loaded> drivers_;  // changed with mutex_ held, read by the loader's thread without
  mutable std::mutex mutex_;
  std::vector<output::DriverRecord> records_;
  std::map<std::string, std::uint64_t> left_;
};

}  // namespace app
