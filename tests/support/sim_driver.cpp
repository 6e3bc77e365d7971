#include "tests/support/sim_driver.hpp"

#include <dlfcn.h>

#include "wfp/kernel/driver_object.hpp"
#include "wfp/kernel/kernel.hpp"

namespace test {

SimDriver::SimDriver(SimSystem& system, std::string folder, std::string name)
    : system_(system), folder_(std::move(folder)), name_(std::move(name)) {}

SimDriver::~SimDriver() {
  if (is_loaded()) unload();
}

std::string SimDriver::load(const Parameters& parameters) {
  for (const auto& [value, data] : parameters)
    if (!system_->kernel().registry().set(name_, value, data)) return "parameter " + value + " cannot be set";
  std::string failure;
  system_.run("load " + name_, [&] { failure = enter(); });
  return failure;
}

void SimDriver::unload() {
  system_.run("unload " + name_, [this] { leave(); });
}

std::string SimDriver::enter() {
  const std::string path = folder_ + "/" + name_ + ".so";
  module_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module_ == nullptr) return dlerror();
  auto* entry = reinterpret_cast<DRIVER_INITIALIZE*>(dlsym(module_, "DriverEntry"));
  if (entry == nullptr) return path + " has no DriverEntry";
  driver_ = std::make_unique<wfp::kernel::Driver>(name_);
  const NTSTATUS status = driver_->load(entry);
  if (NT_SUCCESS(status)) return {};
  system_->remove_driver(*driver_);
  driver_.reset();
  return name_ + ": DriverEntry failed with status " + std::to_string(status);
}

void SimDriver::leave() {
  const auto result = driver_->unload();
  if (!result.unloaded) left_.push_back("the driver itself: it has no DriverUnload");
  left_.insert(left_.end(), result.left.begin(), result.left.end());
  const auto alive = wfp::ledger::alive(driver_->id());
  for (std::size_t kind = 0; kind < wfp::ledger::kKindCount; ++kind)
    if (alive.counts[kind] != 0)
      left_.push_back(std::to_string(alive.counts[kind]) + " " +
                      std::string{wfp::ledger::name_of(static_cast<wfp::ledger::Kind>(kind))});
  if (const auto count = system_->remove_driver(*driver_); count != 0)
    left_.push_back(std::to_string(count) + " pended operations or injection handles");
  driver_.reset();
  if (!result.code_in_use) dlclose(module_);
}

}  // namespace test
