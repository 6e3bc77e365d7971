// What a run amounted to: the JSON object of --report and the text that `wfptap test` prints at the end. Plain data,
// filled after the drivers were unloaded and the stack was drained.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "src/app/cli/exit_status.hpp"
#include "src/app/places/source_frame.hpp"
#include "tap/file_descriptor.hpp"

namespace app::output {

struct DriverRecord {
  std::string name;
  std::string file;
  bool loaded = false;
  bool unloaded = false;
  std::string why_not_unloaded;
  std::vector<std::string> left;  // one line for everything that it left behind
  std::string sha256;             // of its file when it was loaded; empty: it could not be read
};

struct LayerRecord {
  std::uint64_t classified = 0, permitted = 0, blocked = 0, absorbed = 0;
  bool is_asked = true;  // false: wfptap never asks this layer
};

struct InjectionRecord {
  std::uint64_t accepted = 0, completed = 0, failed = 0, refused = 0;  // refused: calls that failed
};

// What happened before to the object of a violation, or where what was left comes from.
struct OriginRecord {
  std::string what;  // acquired, released
  std::uint64_t count = 1;
  std::vector<SourceFrame> stack;
};

// A violation, or a note: what never happened. Stacks have the driver's frames, innermost first; at --verify standard
// those of the one call.
struct ViolationRecord {
  std::string rule;
  std::string message;
  std::string driver;
  std::string callout;  // that was running
  std::string packet;
  std::uint64_t count = 1;
  std::vector<SourceFrame> stack;
  std::vector<OriginRecord> origins;
};

// What ran, so that it can be run again.
struct RunRecord {
  std::string version;
  std::uint64_t seed = 0;
  std::vector<std::string> options;  // the command line before --, with what the configuration file adds
};

// Memory for what was received, by use, and for what was written: bytes, and packets refused for want of it.
struct MemoryRecord {
  struct Use {
    std::uint64_t held = 0, high_water = 0, refused = 0;
  };
  std::uint64_t limit = 0, pruned = 0, frames_refused = 0;
  std::map<std::string, Use> uses;
  std::uint64_t send_limit = 0, send_held = 0;
};

struct Report {
  RunRecord run;
  std::vector<DriverRecord> drivers;
  std::map<std::string, LayerRecord> layers;                       // FWPS_LAYER_...; the name has the direction
  InjectionRecord injections;                                      // both directions
  std::map<std::string, InjectionRecord> injections_by_direction;  // inbound, outbound
  std::uint64_t pends_started = 0, pends_completed = 0;
  std::uint64_t packets_received = 0, packets_sent = 0;
  std::map<std::string, std::uint64_t> packets_dropped;  // by reason
  std::uint64_t absorbed_never_reinjected = 0;
  MemoryRecord memory;
  std::map<std::string, std::uint64_t> objects_alive;  // by kind
  std::vector<ViolationRecord> violations;
  std::uint64_t violation_count = 0;  // all, kept or not
  std::vector<ViolationRecord> notes;
  std::uint64_t note_count = 0;
  bool strict = false;  // notes count as violations
  std::vector<std::string> command;
  bool command_ran = false;
  int command_code = 0;
  std::optional<int> expected_code;
  ExitStatus exit;
  std::string fault;                     // the bug check's text; empty: none
  std::vector<SourceFrame> fault_stack;  // innermost first
  std::vector<std::string> problems;     // why nothing ran, what could not be recorded, what was not as expected
};

std::string to_json(const Report& report);  // with its newline
// The same, with everything but command, exit, fault and problems taken from `known`: the JSON text of an earlier state
// of the same run, by whoever could still count. Empty or no JSON: as above.
std::string to_json(const Report& report, const std::string& known);
std::string to_text(const Report& report);
// The report's file is opened when the run begins: a wrong path is known at once, and writing needs no privileges
// later. Empty on failure, with `error` set.
tap::FileDescriptor open_report(const std::string& path, std::string& error);
bool write_report(const Report& report, int fd);  // false: errno says why
bool write_report_text(const std::string& json, int fd);

}  // namespace app::output
