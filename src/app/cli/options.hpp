// What the command line and the configuration file ask for, as plain data. Filled by command_line.cpp; checked there,
// so that whoever reads these members may believe them. Not for it: what a node is built from (src/node/config.hpp),
// which is one member here.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/node/config.hpp"
#include "stack/base/log.hpp"

namespace app {

inline constexpr std::size_t kMaxDrivers = 16;
inline constexpr std::size_t kMaxDriverParameters = 256;
inline constexpr std::size_t kMaxServices = 32;
inline constexpr std::size_t kMaxAddresses = 8;  // of each side

// What a driver finds under its registry key's Parameters: a number is REG_DWORD, anything else REG_SZ.
struct DriverParameter {
  std::string driver;
  std::string value;
  std::string data;
  bool operator==(const DriverParameter&) const = default;
};

struct ServiceOption {
  std::string name;        // echo discard chargen daytime http
  std::uint16_t port = 0;  // the service's well-known one unless given
  bool operator==(const ServiceOption&) const = default;
};

// Who the endpoints of a service belong to, as callouts see it. Defaults: src/app/services/service.hpp.
struct OwnerOption {
  std::string service;
  std::optional<std::uint64_t> process_id;
  std::string process_path;
  std::string user_sid;
};

// When a driver does not come back.
enum class OnHang : std::uint8_t { Report, Stop };

// What `run` does when its device has gone. `test` goes on to the end of COMMAND, and is no success then.
enum class DeviceLoss : std::uint8_t { End, Stay };

// Common to `test` and `run`.
struct RunOptions {
  std::vector<std::string> arguments;  // as given, with those of the configuration file; without COMMAND
  node::Config node;
  std::vector<std::string> drivers;
  std::vector<DriverParameter> parameters;
  std::vector<ServiceOption> services;
  std::vector<OwnerOption> owners;
  std::string pcap_file;  // empty: none; the same for the other files
  std::string trace_file;
  std::string report_file;
  std::string control_path;  // empty: the default of src/app/control/socket_path.hpp
  std::string user;          // `run`: who to become once the TAP is up
  int ready_fd = -1;
  DeviceLoss device_loss = DeviceLoss::Stay;
  int places_fd = -1;   // not asked for by anybody: the supervisor's, which answers (src/app/places/place_link.hpp)
  bool sandbox = true;  // src/app/process/sandbox.hpp
  stack::LogLevel log_level = stack::LogLevel::Info;
  OnHang on_hang = OnHang::Report;
};

struct TestOptions {
  RunOptions run;
  std::vector<std::string> command;
  std::chrono::milliseconds timeout{0};  // 0: none
  std::optional<int> expected_code;      // of COMMAND, which then means success
  bool strict = false;                   // notes count as violations
  bool gdb = false;
};

// What `show`, `filter`, `driver`, `trace` and `connect` ask a running daemon.
struct ClientOptions {
  std::string control_path;  // empty: WFPTAP_CONTROL, then the default
  bool json = false;

  std::string topic;  // show

  std::string layer;  // filter add, trace (there empty: every layer)
  std::string action = "block";
  std::string name;
  std::string callout;                  // filter add: key or name
  std::vector<std::string> conditions;  // FIELD=VALUE
  std::optional<std::uint64_t> weight;
  std::uint64_t filter_id = 0;  // filter delete

  std::string driver;  // driver load, unload
  std::vector<DriverParameter> parameters;

  std::string trace_format = "line";
  std::uint64_t count = 0;  // trace: 0 is until interrupted

  std::string address;  // connect
  std::uint16_t port = 0;
};

enum class Command {
  Test,
  Run,
  Show,
  FilterAdd,
  FilterDelete,
  DriverLoad,
  DriverUnload,
  DriverList,
  Trace,
  Connect,
};

struct CommandLine {
  Command command = Command::Show;
  TestOptions test;      // Test; its `run` also serves Run
  ClientOptions client;  // the others
};

}  // namespace app
