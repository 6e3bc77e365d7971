// A real driver module, NAME.so of the build, loaded into a SimSystem: DriverEntry and DriverUnload run on a
// simulated thread while the network goes on. What it left behind at unload is kept for the test to look at.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/sim_system.hpp"

namespace wfp::kernel {
class Driver;
}

namespace test {

class SimDriver {
 public:
  using Parameters = std::map<std::string, std::string>;

  // `folder` holds NAME.so.
  SimDriver(SimSystem& system, std::string folder, std::string name);
  ~SimDriver();  // unloads
  SimDriver(const SimDriver&) = delete;
  SimDriver& operator=(const SimDriver&) = delete;

  // Empty, or what went wrong.
  std::string load(const Parameters& parameters = {});
  void unload();
  bool is_loaded() const { return driver_ != nullptr; }

  // Since construction, one line for each thing that an unload found: objects by kind, violations of leaving.
  const std::vector<std::string>& left() const { return left_; }

 private:
  std::string enter();  // on the simulated thread
  void leave();

  SimSystem& system_;
  std::string folder_, name_;
  void* module_ = nullptr;
  std::unique_ptr<wfp::kernel::Driver> driver_;
  std::vector<std::string> left_;
};

}  // namespace test
