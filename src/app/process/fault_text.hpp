// The text of a report on the end: in a fixed buffer and without memory or locks, since it is made in a process that may
// be broken in any way, also in a signal handler. Codes and parameters are the documented ones of bug checks.
#pragma once

#include <signal.h>
#include <ucontext.h>

#include <array>
#include <cstddef>
#include <string>

#include "wfp/ledger/driver_call.hpp"
#include "wfp/ledger/ledger.hpp"

namespace app {

class FixedText {
 public:
  [[gnu::format(printf, 2, 3)]] void add(const char* format, ...);
  const char* data() const { return text_.data(); }
  std::size_t size() const { return size_; }

 private:
  std::array<char, 4096> text_{};
  std::size_t size_ = 0;
};

// Names for reports that need no lock to read: loaded drivers by their accounting id. "(none)" for an unknown one.
void keep_driver_name(wfp::ledger::DriverId id, const std::string& name);
const char* kept_driver_name(wfp::ledger::DriverId id);

// --- the first lines: code, four parameters, its name, and what happened in words ---
void add_stop(FixedText& text, unsigned code, const char* name, unsigned long a = 0, unsigned long b = 0,
              unsigned long c = 0, unsigned long d = 0);
void add_signal(FixedText& text, int signal, const siginfo_t& info, const ucontext_t& context);
// What the C library said when it ended the program; empty: somebody called abort().
void add_abort(FixedText& text, const char* words);
// A C++ exception that nobody caught; either may be null.
void add_exception(FixedText& text, const char* type, const char* what);
void add_exit(FixedText& text);  // exit() was called inside a driver
void add_hang(FixedText& text, wfp::ledger::CallKind call, unsigned irql, unsigned seconds);

// The lines on whose code the calling thread runs: driver, processor, level, call, callout.
void add_driver(FixedText& text);

}  // namespace app
