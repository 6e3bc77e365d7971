// The daemon: a node with its services, drivers, control socket and recordings, from create() to finish(). `wfptap
// run` and the inner process of `wfptap test` drive it.
//
// create() opens files and the device and starts no thread, so that privileges can be given up after it. From start()
// on the stack runs on a thread of its own; drivers and filters are changed on the thread that runs loop(), which is
// the caller's.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "src/app/control/server.hpp"
#include "src/app/daemon/driver_watch.hpp"
#include "src/app/daemon/main_loop.hpp"
#include "src/app/daemon/memory_levels.hpp"
#include "src/app/daemon/net_events.hpp"
#include "src/app/daemon/socket_network.hpp"
#include "src/app/daemon/violation_log.hpp"
#include "src/app/drivers/driver_loader.hpp"
#include "src/app/output/capture.hpp"
#include "src/app/output/trace_file.hpp"
#include "src/app/process/logging.hpp"
#include "src/app/services/service.hpp"
#include "src/node/node.hpp"
#include "src/node/outside.hpp"

namespace app {

class Daemon final : private control::Backend {
 public:
  static constexpr std::chrono::seconds kUsableLimit{15};        // until link and addresses are usable
  static constexpr std::chrono::milliseconds kSettleLimit{500};  // before drivers are unloaded
  static constexpr std::chrono::seconds kDrainLimit{10};

  // Null on failure, with `error` saying what was wrong and what to do.
  static std::unique_ptr<Daemon> create(const RunOptions& options, std::string& error);
  ~Daemon() override;

  // Readable once the run is told to stop; for drivers that do not come back. Before start().
  void set_stop_signals(int fd) { stop_signals_ = fd; }
  // The run ends: a driver that does not come back may not hold it. [any thread]
  void stop_was_asked();
  std::string give_control_to(uid_t user) { return server_->give_to(user); }  // empty, or what failed
  // Empty, or what failed; then finish() is still to be called. `places`: to a PlaceServer, or none.
  std::string start(tap::FileDescriptor places);
  // What happened to the device; empty: it is there. Any thread.
  std::string lost_device() const;
  MainLoop& loop() { return loop_; }
  const std::string& control_path() const { return server_->path(); }
  std::string address(stack::Family family) const;  // the stack's first one; empty: none

  void unload_drivers();  // after loop() has ended, while the stack runs
  // Drains, counts, stops everything and closes the files. The report lacks COMMAND and the exit status.
  output::Report finish();
  // For a run that a driver ends: fills the report with what can be had, and hands it over after each step, since a
  // step may not come back. The processor may stand still. [any thread but that]
  void collect_last(const std::function<void(const output::Report&)>& take);

 private:
  explicit Daemon(const RunOptions& options);
  std::string start_all(tap::FileDescriptor places);
  void on_device_lost(int error);
  std::int64_t wall_clock() const;  // nanoseconds since 1970
  bool open_files(std::string& error);
  std::string start_services();
  std::string load_drivers();
  void watch_traces();

  // control::Backend
  void handle(const control::Json& request, control::Answer answer) override;
  control::TraceHub& trace() override { return trace_hub_; }
  std::string layer_name(const std::string& name) override;
  std::shared_ptr<control::Relay> connect(const stack::SocketAddress& remote, std::function<void()> changed) override;
  void warn(const std::string& sentence) override { logging_.write(stack::LogLevel::Warning, "control", sentence); }
  void show(const std::string& topic, control::Answer answer);
  void on_loop(std::function<control::Reply()> task, control::Answer answer);
  void on_stack(std::function<control::Json(node::System&)> task, control::Answer answer);
  control::Reply load_driver(const control::Json& request);
  control::Reply unload_driver(const std::string& name);
  control::Json status(node::System& system);
  control::Json show_drivers();

  RunOptions options_;
  Logging logging_;
  node::MachineClock clock_;
  node::KernelRandom random_;
  std::int64_t epoch_ns_;  // added to the stack's instants: nanoseconds since 1970
  MainLoop loop_;
  control::TraceHub trace_hub_;
  std::unique_ptr<output::Capture> capture_;
  std::unique_ptr<output::TraceFile> trace_file_;
  std::unique_ptr<control::Server> server_;
  std::unique_ptr<node::Node> node_;
  node::System* system_ = nullptr;  // the node's, while it runs
  bool is_running_ = false;
  std::atomic<int> device_error_{0};  // an errno value, once the device has gone
  std::unique_ptr<ViolationLog> violations_;

  // The stack's thread only, but for their creation and destruction, which it does when asked.
  std::unique_ptr<SocketNetwork> network_;
  std::unique_ptr<NetEvents> net_events_;
  std::unique_ptr<MemoryWatch> memory_watch_;
  std::vector<std::unique_ptr<services::Service>> services_;

  std::unique_ptr<DriverLoader> drivers_;  // the loop's thread
  int stop_signals_ = -1;
  std::unique_ptr<DriverWatch> watch_;  // asks all of the above
};

}  // namespace app
