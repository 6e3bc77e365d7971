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
  std::vector<void*> stack;  // return addresses; only to be set where the report is made elsewhere than the mistake
  DriverId driver = kNoDriver;
  std::uint64_t count = 1;  // equal reports (rule, driver, message) are kept once
  // Which object, where that differs from report to report: not compared. That of the first is put behind the message.
  std::string object{};
  // The object that it is about, if the ledger has or had it: then its history is told.
  Kind kind = Kind::other;
  const void* about = nullptr;
  std::string callout{};          // that was running: filled in
  std::vector<Place> places{};    // of the mistake in the driver, innermost first: filled in; ours are left out
  std::vector<Origin> origins{};  // where its object, or what it left, comes from: filled in from `about`
  bool is_note = false;           // set by note()
};

// Each list keeps this many different ones; more are counted only.
inline constexpr std::size_t kViolationLimit = 256;
inline constexpr std::size_t kStackDepth = 24;

using Sink = std::function<void(const Violation&)>;

// Fills in what is missing: the driver, the callout, the packet, the place of the call (at the level full, of all calls)
// and the object's history. Nothing happens while the level is off.
void report(Violation violation);
void note(Violation note);
// Names the packet that the calling thread works on, or returns "": for violations that come without one. Set once.
void set_packet_describer(std::string (*packet)());
std::string current_packet();
// The same for the callout: "callout 256 (filter 7) at FWPS_LAYER_INBOUND_TRANSPORT_V4".
void set_callout_describer(std::string (*callout)());
std::string current_callout();
// The sink sees each different violation and note once.
void set_sink(Sink sink);
std::vector<Violation> violations();
std::uint64_t violation_count();  // all reports, kept or not
std::vector<Violation> notes();
std::uint64_t note_count();
void clear_violations();  // notes too

// Addresses of the callers, innermost first.
std::vector<void*> capture_stack();

}  // namespace wfp::ledger
