// Broken rules: what was wrong, where, and what to do. The verifier's parts report here; the program prints the list
// and decides the exit code by it. Any thread; the sink runs on the reporting thread without a lock held.
//
// Beside the violations stand notes: what never happened (a callout that was never asked, a filter that could not match),
// so that a green run is not taken for a proof. They have the same form and a list of their own, and decide nothing
// unless the user wants it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "wfp/ledger/ledger.hpp"

namespace wfp::ledger {

struct Violation {
  std::string rule;          // id, such as NBL-DOUBLE-FREE
  std::string message;       // what was wrong and what to do
  std::string packet;        // one line about the packet, empty when there is none
  std::vector<void*> stack;  // of the call that broke the rule; of a leak, where its oldest object was acquired
  DriverId driver = kNoDriver;
  std::uint64_t count = 1;  // equal reports (rule, driver, message) are kept once
  // Which object, where that differs from report to report: not compared. That of the first is put behind the message.
  std::string object{};
  std::vector<std::string> frames{};  // `stack` in words, made while the code in it is still mapped
  bool is_note = false;               // set by note()
};

// Each list keeps this many different ones; more are counted only.
inline constexpr std::size_t kViolationLimit = 256;
inline constexpr std::size_t kStackDepth = 24;

using Sink = std::function<void(const Violation&)>;

// Fills in what is missing: the driver, the packet, and at the level full the stack. Nothing happens while the level is
// off.
void report(Violation violation);
void note(Violation note);
// Names the packet that the calling thread works on, or returns "": for violations that come without one. Set once.
void set_packet_describer(std::string (*packet)());
std::string current_packet();
// The sink sees each different violation and note once.
void set_sink(Sink sink);
std::vector<Violation> violations();
std::uint64_t violation_count();  // all reports, kept or not
std::vector<Violation> notes();
std::uint64_t note_count();
void clear_violations();  // notes too

// Addresses of the callers, innermost first.
std::vector<void*> capture_stack();
// One line a frame: function and offset, as far as symbols are known.
std::vector<std::string> describe_stack(const std::vector<void*>& stack);

}  // namespace wfp::ledger
