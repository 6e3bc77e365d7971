#include "src/app/daemon/driver_watch.hpp"

#include <poll.h>
#include <unistd.h>

#include <cstdio>

#include "src/app/cli/exit_status.hpp"
#include "src/app/process/fault.hpp"
#include "wfp/kernel/kernel.hpp"
#include "wfp/ledger/ledger.hpp"

namespace app {
namespace {

bool is_readable(int fd) {
  pollfd one{.fd = fd, .events = POLLIN, .revents = 0};
  return fd >= 0 && poll(&one, 1, 0) > 0;
}

std::string who_waits() { return wfp::kernel::Kernel::current().scheduler().blocked_report(); }

}  // namespace

DriverWatch::DriverWatch(OnHang policy, int stop_signals, stack::LogSink& log, PlaceClient& places)
    : policy_(policy), stop_signals_(stop_signals), log_(log), places_(places), monitor_(*this, who_waits) {}

void DriverWatch::on_hang(const Hang& hang) {
  text_ = text_of(hang, places_);
  stack_ = driver_frames(hang.thread.stack, places_);
  who_ = "driver " + wfp::ledger::driver_name(hang.thread.driver) + " has not come back from " +
         wfp::ledger::phrase_of(hang.thread.call);
  is_end_ = policy_ == OnHang::Stop;
  if (is_end_) end_by_hang(text_, hang.thread.thread);
  log_.write(stack::LogLevel::Error, "hang", text_);
}

void DriverWatch::on_look_with_hang() {
  if (!stop_asked_ && !is_readable(stop_signals_)) return;
  is_end_ = true;
  report_before_end("wfptap: told to stop, and " + who_ + ": ended without unloading drivers\n", text_);
  std::fflush(nullptr);
  std::fputs(last_line({ExitReason::Fault, kExitFault}).c_str(), stderr);
  _exit(kExitFault);
}

}  // namespace app
