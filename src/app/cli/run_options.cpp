#include "src/app/cli/run_options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <set>
#include <tuple>

#include "src/app/services/service_names.hpp"

namespace app {
namespace {

constexpr std::uint32_t kSmallestMtu = 1280;  // RFC 8200 5
constexpr std::uint32_t kLargestMtu = 65535;
constexpr std::size_t kLongestDeviceName = 15;
constexpr std::size_t kLeastMemory = std::size_t{16} << 20;
constexpr std::uint32_t kLongestTimeWaitSeconds = 600;

// A repeatable option takes one value each time, so that DRIVER... is not swallowed.
void add_list(CLI::App& app, const std::string& name, std::vector<std::string>& values, const std::string& what,
              const std::string& type) {
  app.add_option(name, values, what)->type_name(type)->allow_extra_args(false);
}

template <typename T>
void add_one(CLI::App& app, const std::string& name, T& value, const std::string& what, const std::string& type) {
  app.add_option(name, value, what)->type_name(type)->take_last()->capture_default_str();
}

// Parses each text; the first that is wrong ends it with a sentence that names the option.
template <typename T, typename Parse>
std::string parse_each(const std::string& option, const std::vector<std::string>& texts, std::size_t limit,
                       std::vector<T>& into, Parse parse) {
  if (texts.size() > limit) return option + " is given more than " + std::to_string(limit) + " times";
  for (const auto& text : texts) {
    auto value = parse(text);
    if (!value) return option + ": " + value.why();
    into.push_back(std::move(*value));
  }
  return {};
}

std::string check_addresses(const RunOptionTexts& texts, node::Config& config) {
  const auto own = texts.addresses.empty() ? std::vector<std::string>{"10.77.0.2/24", "fd77::2/64"} : texts.addresses;
  auto host = texts.host_addresses;
  if (host.empty()) host = {"10.77.0.1/24", "fd77::1/64"};
  if (host == std::vector<std::string>{"none"}) host.clear();
  if (auto why = parse_each("--address", own, kMaxAddresses, config.addresses, parse_cidr); !why.empty()) return why;
  if (auto why = parse_each("--host-address", host, kMaxAddresses, config.host_addresses, parse_cidr); !why.empty())
    return why;
  for (const auto& mine : config.addresses)
    for (const auto& theirs : config.host_addresses)
      if (mine.address == theirs.address)
        return mine.address.to_string() +
               " is both the stack's --address and the kernel's --host-address; change one";
  if (texts.host_addresses.empty()) {  // keep of the defaults what the given addresses can reach
    std::erase_if(config.host_addresses, [&](const stack::IpPrefix& theirs) {
      return std::none_of(config.addresses.begin(), config.addresses.end(),
                          [&](const stack::IpPrefix& mine) { return mine.contains(theirs.address); });
    });
    if (config.host_addresses.empty())
      return "no default --host-address is in the network of --address " + own.front() +
             "; add --host-address with an address for the kernel's side in that network (or the word none)";
  }
  if (auto why = parse_each("--gateway", texts.gateways, 2, config.gateways, parse_address); !why.empty()) return why;
  if (config.gateways.size() == 2 && config.gateways[0].family() == config.gateways[1].family())
    return "--gateway is given twice for one address family; at most one for IPv4 and one for IPv6";
  return {};
}

std::string check_link(const RunOptionTexts& texts, node::Config& config) {
  if (texts.queues != 1)
    return "--queues " + std::to_string(texts.queues) + ": the stack runs on one processor; only --queues 1 works";
  if (texts.tap.empty() || texts.tap.size() > kLongestDeviceName ||
      texts.tap.find_first_of("/ \t\n:") != std::string::npos || texts.tap == "." || texts.tap == "..")
    return "--tap: '" + texts.tap + "' is no interface name; use 1 to 15 characters without blanks, '/' and ':'";
  if (texts.mtu < kSmallestMtu || texts.mtu > kLargestMtu)
    return "--mtu " + std::to_string(texts.mtu) + " is not between 1280, the least that IPv6 works with, and 65535";
  auto offload = parse_on_off(texts.offload);
  if (!offload) return "--offload: " + offload.why();
  auto io_uring = parse_on_off(texts.io_uring);
  if (!io_uring) return "--io-uring: " + io_uring.why();
  config.device = texts.tap;
  config.tun = texts.tun;
  config.mtu = texts.mtu;
  config.offload = *offload;
  config.io_uring = *io_uring;
  config.seed = texts.seed;
  if (!texts.impair.empty()) {
    auto impairment = parse_impairment(texts.impair);
    if (!impairment) return "--impair: " + impairment.why();
    config.impairment = *impairment;
  }
  return {};
}

std::string check_memory(const RunOptionTexts& texts, node::Config& config) {
  for (const auto& [name, text, into] :
       {std::tuple{"--receive-memory", &texts.receive_memory, &config.receive_memory},
        std::tuple{"--send-memory", &texts.send_memory, &config.send_memory}}) {
    auto size = parse_size(*text);
    if (!size) return std::string(name) + ": " + size.why();
    if (*size < kLeastMemory) return std::string(name) + " " + *text + " is less than 16M";
    *into = *size;
  }
  return {};
}

std::string check_behaviour(const RunOptionTexts& texts, node::Config& config) {
  if (texts.endpoint_metadata != "windows" && texts.endpoint_metadata != "corrected")
    return "--endpoint-metadata: '" + texts.endpoint_metadata + "' is neither windows nor corrected";
  config.endpoint_metadata =
      texts.endpoint_metadata == "windows" ? node::EndpointMetadata::Windows : node::EndpointMetadata::Corrected;
  if (texts.verify == "off") {
    config.verify = node::VerifyLevel::Off;
  } else if (texts.verify == "standard") {
    config.verify = node::VerifyLevel::Standard;
  } else if (texts.verify == "full") {
    config.verify = node::VerifyLevel::Full;
  } else {
    return "--verify: '" + texts.verify + "' is not one of off, standard, full";
  }
  if (texts.time_wait_seconds == 0 || texts.time_wait_seconds > kLongestTimeWaitSeconds)
    return "--time-wait " + std::to_string(texts.time_wait_seconds) + " is not between 1 and 600 seconds";
  config.tcp_time_wait_seconds = texts.time_wait_seconds;
  auto timestamps = parse_on_off(texts.timestamps);
  if (!timestamps) return "--tcp-timestamps: " + timestamps.why();
  config.tcp_timestamps = *timestamps;
  auto congestion = parse_congestion(texts.congestion);
  if (!congestion) return "--congestion: " + congestion.why();
  config.tcp_congestion = *congestion;
  return {};
}

std::string check_services(const RunOptionTexts& texts, bool all_services, RunOptions& options) {
  auto wanted = texts.services;
  if (wanted.empty() && all_services)
    for (const auto& service : services::kServiceNames) wanted.emplace_back(service.name);
  if (wanted == std::vector<std::string>{"none"}) wanted.clear();
  if (auto why = parse_each("--service", wanted, kMaxServices, options.services, parse_service); !why.empty())
    return why;
  std::set<std::uint16_t> ports;
  for (const auto& service : options.services)
    if (!ports.insert(service.port).second)
      return "--service: port " + std::to_string(service.port) + " is given to two services; each needs its own";
  return parse_each("--owner", texts.owners, kMaxServices, options.owners, parse_owner);
}

}  // namespace

void define_run_options(CLI::App& app, RunOptionTexts& t) {
  app.add_option("--config", t.config, "TOML file with these options under the same names (command line wins)")
      ->type_name("FILE.toml");
  add_one(app, "--tap", t.tap, "name of the TAP device", "NAME");
  app.add_flag("--tun", t.tun, "a TUN device (raw IP) instead of a TAP (Ethernet)");
  add_list(app, "--address", t.addresses, "the stack's own address, repeatable [10.77.0.2/24, fd77::2/64]", "CIDR");
  add_list(app, "--host-address", t.host_addresses,
           "the kernel's side of the device, repeatable, or none [10.77.0.1/24, fd77::1/64]", "CIDR");
  add_list(app, "--gateway", t.gateways, "default router of the stack, one for each address family", "IP");
  add_one(app, "--mtu", t.mtu, "largest IP packet of the link", "N");
  add_one(app, "--queues", t.queues, "device queues and processors; only 1 works", "N");
  add_one(app, "--offload", t.offload, "checksum and segmentation offload with the kernel", "on|off");
  add_one(app, "--io-uring", t.io_uring, "off: readv/writev with epoll even where io_uring works", "on|off");
  add_list(app, "--driver", t.drivers, "load a driver: a name that ships, or a shared object; repeatable",
           "NAME|FILE.so");
  add_list(app, "--param", t.parameters, "what a driver reads from its registry key Parameters; repeatable",
           "DRIVER:VALUE=DATA");
  add_list(app, "--service", t.services, "service on the stack (" + services::all_names() + ", or none); repeatable",
           "NAME[:PORT]");
  add_list(app, "--owner", t.owners, "process and user that callouts see behind a service; repeatable",
           "SERVICE:pid=N,path=P,user=SID");
  add_one(app, "--endpoint-metadata", t.endpoint_metadata, "handle of packets without an endpoint",
          "windows|corrected");
  add_one(app, "--verify", t.verify, "how closely drivers are watched", "off|standard|full");
  add_one(app, "--sandbox", t.sandbox, "off: drivers may make any system call, and others may look into the process",
          "on|off");
  add_one(app, "--impair", t.impair,
          "make the link worse, e.g. loss=1%,delay=20ms,reorder=2%,duplicate=1%; a delay without unit is in ms",
          "LIST");
  add_one(app, "--seed", t.seed, "seed of --impair, so that a run can be repeated", "N");
  add_one(app, "--receive-memory", t.receive_memory,
          "memory for what was received and waits, over all connections together; at least 16M", "SIZE");
  add_one(app, "--send-memory", t.send_memory,
          "memory for what was written and is not acknowledged, over all connections together; at least 16M", "SIZE");
  add_one(app, "--time-wait", t.time_wait_seconds, "seconds that TCP connections stay in TIME-WAIT", "N");
  add_one(app, "--tcp-timestamps", t.timestamps, "offer TCP timestamps (RFC 7323)", "on|off");
  add_one(app, "--congestion", t.congestion, "congestion control of TCP", "cubic|newreno");
  add_one(app, "--pcap", t.pcap, "write every frame that crosses the device; NAME.pcapng also keeps directions",
          "FILE");
  add_one(app, "--trace", t.trace, "write every classify call, one JSON object a line", "FILE");
  add_one(app, "--report", t.report, "write the report, one JSON object, at the end", "FILE");
  add_one(app, "--control", t.control, "control socket", "PATH");
  app.add_option(
         "--on-hang", t.on_hang,
         "when a driver does not come back for 5 s: say so, or also stop with a report [test: stop, run: report]")
      ->type_name("report|stop")
      ->take_last();
  add_one(app, "--log-level", t.log_level, "least important messages to print", "debug|info|warning|error");
}

Parsed<RunOptions> check_run_options(const RunOptionTexts& texts, bool is_test) {
  using P = Parsed<RunOptions>;
  RunOptions options;
  for (auto check : {check_addresses, check_link, check_memory, check_behaviour})
    if (auto why = check(texts, options.node); !why.empty()) return P::error(std::move(why));
  auto sandbox = parse_on_off(texts.sandbox);
  if (!sandbox) return P::error("--sandbox: " + sandbox.why());
  options.sandbox = *sandbox;
  if (auto why = check_services(texts, is_test, options); !why.empty()) return P::error(std::move(why));
  if (auto why =
          parse_each("--param", texts.parameters, kMaxDriverParameters, options.parameters, parse_driver_parameter);
      !why.empty())
    return P::error(std::move(why));
  if (texts.drivers.size() > kMaxDrivers)
    return P::error("more than " + std::to_string(kMaxDrivers) + " drivers are given");
  std::set<std::string> names;
  for (const auto& driver : texts.drivers)
    if (const auto name = driver_name_of(driver); !names.insert(name).second)
      return P::error("driver '" + name + "' is named twice; a driver is loaded once");
  options.drivers = texts.drivers;
  auto level = parse_log_level(texts.log_level);
  if (!level) return P::error("--log-level: " + level.why());
  options.log_level = *level;
  auto on_hang = parse_on_hang(!texts.on_hang.empty() ? texts.on_hang : is_test ? "stop" : "report");
  if (!on_hang) return P::error("--on-hang: " + on_hang.why());
  options.on_hang = *on_hang;
  options.pcap_file = texts.pcap;
  options.trace_file = texts.trace;
  options.report_file = texts.report;
  options.control_path = texts.control;
  options.user = texts.user;
  if (texts.device_loss != "end" && texts.device_loss != "stay")
    return P::error("--on-device-loss: '" + texts.device_loss + "' is neither end nor stay");
  options.device_loss = texts.device_loss == "end" ? DeviceLoss::End : DeviceLoss::Stay;
  if (texts.ready_fd) {
    if (*texts.ready_fd < 0) return P::error("--ready-fd: " + std::to_string(*texts.ready_fd) + " is no descriptor");
    options.ready_fd = *texts.ready_fd;
  }
  return options;
}

}  // namespace app
