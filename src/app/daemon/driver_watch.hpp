// What is done about a driver that does not come back: it is told, and ends the run when that was asked for, by --on-hang
// or by a signal to stop, which nobody else may be able to obey any more.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "src/app/cli/options.hpp"
#include "src/app/process/hang_monitor.hpp"
#include "stack/base/log.hpp"

namespace app {

class DriverWatch final : private HangListener {
 public:
  // `stop_signals`: a descriptor that is readable once the run was told to stop and nobody took note; -1: none. The other
  // two outlive it.
  DriverWatch(OnHang policy, int stop_signals, stack::LogSink& log, PlaceClient& places);

  void stop_was_asked() { stop_asked_ = true; }  // [any thread]
  // Of the hang that the run ends by, while it does; else empty. [any thread]
  std::vector<SourceFrame> final_stack() const { return is_end_ ? stack_ : std::vector<SourceFrame>{}; }

 private:
  void on_hang(const Hang& hang) override;
  void on_look_with_hang() override;

  const OnHang policy_;
  const int stop_signals_;
  stack::LogSink& log_;
  PlaceClient& places_;
  std::atomic<bool> stop_asked_{false};
  std::string who_, text_;  // of the latest hang
  std::vector<SourceFrame> stack_;
  std::atomic<bool> is_end_{false};
  HangMonitor monitor_;  // last: it calls the rest
};

}  // namespace app
