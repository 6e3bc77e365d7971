// The options that `test` and `run` share: their definition for CLI11, and the check that turns their texts into
// RunOptions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/app/cli/option_values.hpp"

namespace CLI {
class App;
}

namespace app {

// As typed.
struct RunOptionTexts {
  std::string tap = "wfp0";
  bool tun = false;
  std::vector<std::string> addresses, host_addresses, gateways;
  std::uint32_t mtu = 1500;
  std::uint32_t queues = 1;
  std::string offload = "on";
  std::string io_uring = "on";
  std::vector<std::string> drivers, parameters, services, owners;
  std::string endpoint_metadata = "windows";
  std::string verify = "standard";
  std::string sandbox = "on";
  std::string impair;
  std::uint64_t seed = 0;
  std::string device_loss = "end";  // of `run`
  std::string receive_memory = "128M", send_memory = "128M";
  std::uint32_t time_wait_seconds = 60;
  std::string timestamps = "on";
  std::string congestion = "cubic";
  std::string pcap, trace, report, config, control, user;
  std::optional<int> ready_fd;
  std::string log_level = "info";
  std::string on_hang;  // empty: as the command is used to
};

void define_run_options(CLI::App& app, RunOptionTexts& texts);

// Checks each, and what they are together. `is_test`: without --service every service runs, and without --on-hang a
// driver that hangs ends the run; else none does, and it is only told.
Parsed<RunOptions> check_run_options(const RunOptionTexts& texts, bool is_test);

}  // namespace app
