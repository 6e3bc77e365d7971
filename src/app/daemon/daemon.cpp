#include "src/app/daemon/daemon.hpp"

#include <chrono>
#include <cstring>
#include <set>
#include <system_error>

#include "src/app/control/socket_path.hpp"
#include "src/app/daemon/counts.hpp"
#include "src/app/output/run_record.hpp"
#include "src/app/process/fault.hpp"
#include "src/app/process/no_thread.hpp"
#include "src/shim/classifier.hpp"
#include "stack/core/stack.hpp"
#include "wfp/engine/engine.hpp"
#include "wfp/kernel/kernel.hpp"
#include "wfp/ledger/violation.hpp"

namespace app {
namespace {

services::OwnerRef owner_of(const std::string& service, const std::vector<OwnerOption>& configured) {
  auto owner = *services::default_owner(service);
  for (const auto& option : configured) {
    if (option.service != service) continue;
    if (option.process_id) owner.process_id = *option.process_id;
    if (!option.process_path.empty()) owner.process_path = services::nt_path(option.process_path);
    if (!option.user_sid.empty()) owner.user_sid = option.user_sid;
  }
  return std::make_shared<const stack::Owner>(std::move(owner));
}

std::int64_t epoch_of(const node::MachineClock& clock) {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since_1970).count() -
         node::to_stack_time(clock.now()).ns();
}

template <typename Loaded>
std::set<std::string> names_without_driver(const std::vector<DriverParameter>& parameters, const Loaded& loaded) {
  std::set<std::string> names;
  for (const auto& parameter : parameters) names.insert(parameter.driver);
  for (const auto& [name, id] : loaded) names.erase(name);
  return names;
}

std::string driver_of(std::uint32_t callout_id, wfp::engine::Engine& engine) {
  for (const auto& callout : engine.callout_reports())
    if (callout.id == callout_id) return callout.driver;
  return {};
}

}  // namespace

Daemon::Daemon(const RunOptions& options)
    : options_(options),
      logging_(options.log_level),
      epoch_ns_(epoch_of(clock_)),
      trace_hub_([this] { return wall_clock(); }, [this] { watch_traces(); }) {}

std::int64_t Daemon::wall_clock() const { return node::to_stack_time(clock_.now()).ns() + epoch_ns_; }

Daemon::~Daemon() {
  if (is_running_) finish();
}

std::unique_ptr<Daemon> Daemon::create(const RunOptions& options, std::string& error) {
  wait_for_recordings([] { return output::queues_behind == 0; });
  std::unique_ptr<Daemon> daemon{new Daemon(options)};
  if (!daemon->open_files(error)) return nullptr;
  daemon->server_ = control::Server::open(control::daemon_socket_path(options.control_path), *daemon, error);
  if (!daemon->server_) return nullptr;
  daemon->node_ =
      node::Node::create(options.node, {&daemon->logging_, &daemon->random_, nullptr}, daemon->capture_.get(), error);
  if (!daemon->node_) return nullptr;
  return daemon;
}

bool Daemon::open_files(std::string& error) {
  const output::CapturedLink link{options_.node.tun ? output::LinkType::RawIp : output::LinkType::Ethernet,
                                  options_.node.device};
  if (!options_.pcap_file.empty()) {
    capture_ = output::Capture::open(
        options_.pcap_file, link, [this] { return wall_clock(); }, error);
    if (!capture_) return false;
  }
  if (!options_.trace_file.empty()) {
    trace_file_ = output::TraceFile::open(options_.trace_file, error);
    if (!trace_file_) return false;
  }
  return true;
}

std::string Daemon::start(tap::FileDescriptor places) {
  try {
    return start_all(std::move(places));
  } catch (const std::system_error& failure) {  // the library's word for a thread that cannot be had
    return no_thread_sentence(failure);
  }
}

std::string Daemon::lost_device() const {
  const int error = device_error_;
  return error == 0 ? "" : "the device " + options_.node.device + " has gone: " + std::strerror(error);
}

void Daemon::on_device_lost(int error) {
  device_error_ = error;
  logging_.write(stack::LogLevel::Error, "node", lost_device() + "; nothing is received or sent any more");
  if (options_.device_loss == DeviceLoss::End) loop_.end();
}

std::string Daemon::start_all(tap::FileDescriptor places) {
  if (capture_) capture_->start();
  if (trace_file_) trace_file_->start();
  violations_ = std::make_unique<ViolationLog>(logging_, std::move(places));
  violations_->start();
  trace_faults_by(shim::Classifier::trace_fault);
  node_->set_device_lost_handler([this](int error) { on_device_lost(error); });
  node_->start();
  is_running_ = true;
  const auto& features = node_->features();
  logging_.write(stack::LogLevel::Info, "node",
                 features.device + " (" + features.medium + "), " + features.io + ", offloads: " + features.offloads);
  node_->call([this](node::System& system) {
    system_ = &system;
    network_ = std::make_unique<SocketNetwork>(system);
    net_events_ = std::make_unique<NetEvents>(&system.discard_observer(), [&system] { return system.now(); });
    system.stack().hooks().set_discard_observer(net_events_.get());
    system.set_block_sink(net_events_.get());
    memory_watch_ = std::make_unique<MemoryWatch>(system, logging_);
    system.kernel().set_debug_sink([this](wfp::ledger::DriverId driver, unsigned level, const std::string& line) {
      logging_.debug_print(wfp::ledger::driver_name(driver), level, line);
    });
    trace_hub_.set_driver_lookup([&system](std::uint32_t callout) { return driver_of(callout, system.engine()); });
  });
  if (trace_file_) trace_hub_.set_file(trace_file_.get());
  if (!node_->wait_until_usable(kUsableLimit))
    return "the link or an address of " + features.device +
           " did not become usable in 15 s; is an address in use twice?";
  if (auto why = start_services(); !why.empty()) return why;
  watch_ = std::make_unique<DriverWatch>(options_.on_hang, stop_signals_, logging_, violations_->places());
  if (auto why = load_drivers(); !why.empty()) return why;
  return server_->start();
}

std::string Daemon::start_services() {
  return node_->call([this](node::System&) {
    std::string error;
    for (const auto& option : options_.services) {
      auto service =
          services::make_service(option.name, option.port, *network_, owner_of(option.name, options_.owners));
      if (!service->start(error)) break;
      services_.push_back(std::move(service));
    }
    return error;
  });
}

std::string Daemon::load_drivers() {
  auto& kernel = wfp::kernel::Kernel::current();
  drivers_ = std::make_unique<DriverLoader>(
      kernel.registry(), [this](const wfp::kernel::Driver& driver) { system_->remove_driver(driver); });
  for (const auto& driver : options_.drivers)
    if (auto loaded = drivers_->load(driver, options_.parameters); !loaded) return loaded.why();
  for (const auto& name : names_without_driver(options_.parameters, drivers_->loaded()))
    logging_.write(stack::LogLevel::Warning, "driver",
                   "--param names '" + name + "', and no driver of that name is loaded; it waits for 'driver load'");
  return {};
}

// Tracing is armed on the stack's thread, by what is wanted when it gets there.
void Daemon::watch_traces() {
  if (!is_running_) return;
  node_->post([this](node::System& system) { system.set_trace(trace_hub_.is_wanted() ? &trace_hub_ : nullptr); });
}

std::string Daemon::address(stack::Family family) const {
  for (const auto& prefix : options_.node.addresses)
    if (prefix.address.family() == family) return prefix.address.to_string();
  return {};
}

std::shared_ptr<control::Relay> Daemon::connect(const stack::SocketAddress& remote, std::function<void()> changed) {
  auto relay = std::make_shared<control::Relay>(
      [this](std::function<void()> task) { node_->post([task = std::move(task)](node::System&) { task(); }); },
      std::move(changed));
  node_->post([this, relay, remote](node::System&) {
    if (network_) relay->connect(*network_, remote, services::default_owner("connect"));
  });
  return relay;
}

void Daemon::stop_was_asked() {
  if (watch_) watch_->stop_was_asked();
}

// What COMMAND's last packets caused still passes the drivers; traffic that does not end does not hold them back for
// long.
void Daemon::unload_drivers() {
  if (is_running_ && drivers_) node_->drain(kSettleLimit);
  if (drivers_) drivers_->unload_all();
}

output::Report Daemon::finish() {
  output::Report report;
  report.run = output::run_record(options_);
  unload_drivers();
  if (is_running_) {
    server_->stop();  // first: what clients have under way would keep the rest from coming to rest
    if (!node_->drain(kDrainLimit)) report.problems.emplace_back("packets were still under way 10 s after the end");
    node_->call([&](node::System& system) {
      system.set_trace(nullptr);
      if (capture_) capture_->end();
      if (trace_file_) trace_file_->end();
      collect_counts(system, report);
      collect_memory(system, node_->link_counts(), report);
    });
    node_->call([this](node::System& system) {
      services_.clear();
      system.set_block_sink(nullptr);
      system.stack().hooks().set_discard_observer(&system.discard_observer());
      net_events_.reset();
      memory_watch_.reset();
    });
    watch_.reset();
    node_->stop();
    is_running_ = false;
  }
  if (drivers_) {
    report.drivers = drivers_->records();
    report.objects_alive = drivers_->objects_left();
  }
  if (violations_) {
    violations_->stop();
    collect_violations(*violations_, report);
  }
  trace_hub_.set_file(nullptr);
  if (capture_) capture_->close();
  if (trace_file_) trace_file_->close();
  for (const auto& problem :
       {lost_device(), capture_ ? capture_->error() : "", trace_file_ ? trace_file_->error() : ""})
    if (!problem.empty()) report.problems.push_back(problem);
  return report;
}

}  // namespace app
