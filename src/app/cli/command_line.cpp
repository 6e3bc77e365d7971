#include "src/app/cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

#include "src/app/cli/config_file.hpp"
#include "src/app/cli/exit_status.hpp"
#include "src/app/cli/run_options.hpp"
#include "src/app/cli/version.hpp"

namespace app {
namespace {

constexpr const char* kTestExits =
    "Exit codes: 3 a verifier rule was broken or a driver faulted; else COMMAND's own code, 0 when it is the one of\n"
    "--expect, 1 when it is 0 and --expect wanted another; 2 something could not be set up; 124 --timeout ran out;\n"
    "128+N ended by signal N.\n"
    "The last line on standard error says which: wfptap: exit reason=command code=7";
constexpr const char* kRunExits =
    "Exit codes: 0 it was told to end; 2 something could not be set up, or the device has gone; 3 a verifier rule\n"
    "was broken.";
constexpr const char* kClientExits =
    "Exit codes: 0 done; 1 the daemon refused, or what it was to do failed; 2 no daemon listens, or wrong use.";

EndEarly usage_error(const std::string& sentence, const std::string& command) {
  const std::string more = command.empty() ? "wfptap --help" : "wfptap " + command + " --help";
  return {kExitSetup, "wfptap: " + sentence + "\nTry '" + more + "'.\n"};
}

// Texts of all commands while CLI11 fills them.
struct Texts {
  RunOptionTexts run;
  std::vector<std::string> test_drivers;
  double timeout_seconds = 0;
  std::optional<int> expected_code;
  bool strict = false;
  bool gdb = false;
  ClientOptions client;
  std::vector<std::string> parameters;
};

const std::vector<std::string> kTopics{"status",  "flows",   "endpoints", "layers",   "callouts",
                                       "filters", "drivers", "objects",   "netevents"};

void add_client_options(CLI::App& command, Texts& t) {
  command.footer(kClientExits);
  command.add_option("--control", t.client.control_path, "control socket of the daemon [WFPTAP_CONTROL]")
      ->type_name("PATH");
}

void add_json(CLI::App& command, Texts& t) {
  command.add_flag("--json", t.client.json, "one JSON object instead of text");
}

void define_test(CLI::App& app, Texts& t) {
  auto& test = *app.add_subcommand("test",
                                   "Run COMMAND against the stack in a private network namespace:\n"
                                   "wfptap test [DRIVER...] [options] -- COMMAND [ARG...]");
  test.footer(std::string("COMMAND finds WFPTAP_ADDRESS, WFPTAP_ADDRESS6 and WFPTAP_CONTROL in its environment.\n") +
              kTestExits);
  test.add_option("DRIVER", t.test_drivers, "drivers to load: names that ship, or shared objects");
  define_run_options(test, t.run);
  test.add_option("--timeout", t.timeout_seconds, "end COMMAND after this many seconds")
      ->type_name("S")
      ->check(CLI::Range(0.0, 1e6));
  test.add_option("--expect", t.expected_code, "COMMAND is to end with this code, which then is success")
      ->type_name("CODE")
      ->check(CLI::Range(0, 255));
  test.add_flag("--strict", t.strict,
                "notes (what never happened, such as a callout never asked) count as violations");
  test.add_flag("--gdb", t.gdb, "run the stack under gdb");
}

void define_run(CLI::App& app, Texts& t) {
  auto& run = *app.add_subcommand("run", "Run the stack as a daemon, in the foreground, in this network namespace");
  run.footer(
      "SIGTERM and SIGINT end it cleanly: drivers are unloaded first. SIGHUP is ignored.\n"
      "It says READY=1 to systemd (NOTIFY_SOCKET), and writes a line to --ready-fd.\n" +
      std::string(kRunExits));
  define_run_options(run, t.run);
  run.add_option("--user", t.run.user, "user to become once the device is up")->type_name("NAME");
  run.add_option("--on-device-loss", t.run.device_loss,
                 "when the device has gone: end, with code 2, or stay, so that 'show' still answers")
      ->type_name("end|stay")
      ->capture_default_str();
  run.add_option("--ready-fd", t.run.ready_fd, "descriptor to write 'ready' to once everything is usable")
      ->type_name("N");
}

void define_show(CLI::App& app, Texts& t) {
  auto& show = *app.add_subcommand("show", "What a running daemon has and does");
  std::string topics;
  for (const auto& topic : kTopics) topics += (topics.empty() ? "" : "|") + topic;
  show.add_option("TOPIC", t.client.topic, topics)->required()->check(CLI::IsMember(kTopics));
  add_json(show, t);
  add_client_options(show, t);
}

void define_filter(CLI::App& app, Texts& t) {
  auto& filter = *app.add_subcommand("filter", "Add and delete filters of a running daemon");
  filter.require_subcommand(1);
  filter.footer(kClientExits);
  auto& add = *filter.add_subcommand("add", "Add a filter; prints its id");
  add.add_option("--layer", t.client.layer, "layer, e.g. FWPS_LAYER_INBOUND_TRANSPORT_V4; the prefix may be left out")
      ->required()
      ->type_name("LAYER");
  add.add_option("--action", t.client.action, "block, permit, or a callout's kind")
      ->check(CLI::IsMember({"block", "permit", "callout-terminating", "callout-inspection", "callout-unknown"}))
      ->capture_default_str();
  add.add_option("--callout", t.client.callout, "callout for a callout action: its GUID")->type_name("KEY");
  add.add_option("--condition", t.client.conditions, "e.g. IP_PROTOCOL=tcp; repeatable, all must hold")
      ->type_name("FIELD=VALUE")
      ->allow_extra_args(false);
  add.add_option("--weight", t.client.weight, "higher is asked earlier; automatic unless given")->type_name("N");
  add.add_option("--name", t.client.name, "name to show")->type_name("TEXT");
  add_json(add, t);
  add_client_options(add, t);
  auto& remove = *filter.add_subcommand("delete", "Delete a filter by its id");
  remove.add_option("ID", t.client.filter_id, "as printed by 'filter add' and 'show filters'")->required();
  add_json(remove, t);
  add_client_options(remove, t);
}

void define_driver(CLI::App& app, Texts& t) {
  auto& driver = *app.add_subcommand("driver", "Load and unload drivers of a running daemon");
  driver.require_subcommand(1);
  driver.footer(kClientExits);
  auto& load = *driver.add_subcommand("load", "Load a driver and call its DriverEntry");
  load.add_option("DRIVER", t.client.driver, "a name that ships, or a shared object")->required();
  load.add_option("--param", t.parameters, "registry parameter; repeatable")
      ->type_name("[DRIVER:]VALUE=DATA")
      ->allow_extra_args(false);
  auto& unload = *driver.add_subcommand("unload", "Call DriverUnload, check what it left, and unload it");
  unload.add_option("DRIVER", t.client.driver, "its name as in 'driver list'")->required();
  auto& list = *driver.add_subcommand("list", "The loaded drivers");
  for (auto* command : {&load, &unload, &list}) {
    add_json(*command, t);
    add_client_options(*command, t);
  }
}

void define_streams(CLI::App& app, Texts& t) {
  auto& trace = *app.add_subcommand("trace", "The live stream of classify calls");
  trace.add_option("--layer", t.client.layer, "only this layer, e.g. FWPS_LAYER_OUTBOUND_TRANSPORT_V4")
      ->type_name("LAYER");
  trace.add_option("--format", t.client.trace_format, "line, dx (as a Windows debugger prints it) or json")
      ->check(CLI::IsMember({"line", "dx", "json"}))
      ->capture_default_str();
  trace.add_option("--count", t.client.count, "end after this many; 0: never")->type_name("N");
  add_client_options(trace, t);
  auto& connect = *app.add_subcommand("connect", "Standard input and output over a TCP connection of the stack");
  connect.add_option("ADDRESS", t.client.address, "IPv4 or IPv6 address")->required();
  connect.add_option("PORT", t.client.port, "TCP port")->required()->check(CLI::Range(1, 65535));
  add_client_options(connect, t);
}

std::string command_names(const CLI::App& app) {
  std::string names;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names += (names.empty() ? "" : ", ") + command->get_name();
  return names;
}

// Whose --help tells more: "filter add" of `filter add --action drop`.
std::string full_name(const CLI::App* chosen, const std::vector<std::string>& ours) {
  if (chosen == nullptr) return {};
  const auto inner =
      chosen->get_subcommands([&](const CLI::App* one) { return ours.size() > 1 && one->get_name() == ours[1]; });
  return chosen->get_name() + (inner.empty() ? "" : " " + inner.front()->get_name());
}

bool is_given(const std::vector<std::string>& ours, const std::string& option) {
  return std::any_of(ours.begin(), ours.end(), [&](const std::string& argument) {
    return argument == "--" + option || argument.starts_with("--" + option + "=");
  });
}

std::string given_config_file(const std::vector<std::string>& ours) {
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (ours[i].starts_with("--config=")) return ours[i].substr(9);
    if (ours[i] == "--config" && i + 1 < ours.size()) return ours[i + 1];
  }
  return {};
}

// Puts the file's options where the command line does not have them. Returns a sentence when the file is wrong.
std::string merge_config_file(const CLI::App& command, std::vector<std::string>& ours) {
  const auto path = given_config_file(ours);
  if (path.empty()) return {};
  auto entries = read_config_file(path);
  if (!entries) return entries.why();
  std::vector<std::string> merged{ours.front()};
  for (const auto& [option, value] : *entries) {
    if (option == "config" || command.get_option_no_throw("--" + option) == nullptr)
      return path + ": '" + option + "' is no option of this command";
    if (!is_given(ours, option)) merged.push_back("--" + option + "=" + value);
  }
  merged.insert(merged.end(), ours.begin() + 1, ours.end());
  ours = std::move(merged);
  return {};
}

// `driver load` takes VALUE=DATA too: the driver is the one that it loads, under the name that it will have.
std::string take_client_parameters(Texts& t) {
  const auto name = driver_name_of(t.client.driver);
  for (const auto& text : t.parameters) {
    const auto equals = text.find('=');
    const bool names_driver = text.substr(0, equals).find(':') != std::string::npos;
    auto parameter = parse_driver_parameter(names_driver ? text : name + ":" + text);
    if (!parameter) return "--param: " + parameter.why();
    if (parameter->driver != name)
      return "--param: '" + text + "' is for driver '" + parameter->driver + "', and '" + name +
             "' is loaded; write " + parameter->value + "=" + parameter->data;
    t.client.parameters.push_back(std::move(*parameter));
  }
  return {};
}

Command client_command(const CLI::App& app) {
  const auto& chosen = *app.get_subcommands().front();
  const std::string name = chosen.get_name();
  const std::string inner = chosen.get_subcommands().empty() ? "" : chosen.get_subcommands().front()->get_name();
  if (name == "filter") return inner == "add" ? Command::FilterAdd : Command::FilterDelete;
  if (name == "driver")
    return inner == "load" ? Command::DriverLoad : inner == "unload" ? Command::DriverUnload : Command::DriverList;
  if (name == "trace") return Command::Trace;
  if (name == "connect") return Command::Connect;
  return Command::Show;
}

std::variant<CommandLine, EndEarly> finish(const CLI::App& app, Texts& t, const std::vector<std::string>& ours,
                                           std::vector<std::string> command, bool has_separator) {
  CommandLine line;
  const std::string name = app.get_subcommands().front()->get_name();
  if (name != "test" && has_separator) return usage_error("only 'wfptap test' takes a COMMAND after --", name);
  if (name == "test" || name == "run") {
    t.run.drivers.insert(t.run.drivers.begin(), t.test_drivers.begin(), t.test_drivers.end());
    auto options = check_run_options(t.run, name == "test");
    if (!options) return usage_error(options.why(), name);
    line.command = name == "test" ? Command::Test : Command::Run;
    line.test.run = std::move(*options);
    line.test.run.arguments = ours;
    if (name == "test") line.test.run.device_loss = DeviceLoss::Stay;  // to the end of COMMAND
    line.test.timeout = std::chrono::milliseconds{static_cast<std::int64_t>(t.timeout_seconds * 1000)};
    line.test.expected_code = t.expected_code;
    line.test.strict = t.strict;
    line.test.gdb = t.gdb;
    line.test.command = std::move(command);
    if (name == "test" && line.test.command.empty())
      return usage_error(
          "no COMMAND is given; write it after --, as in: wfptap test passthrough -- curl -s "
          "http://10.77.0.2/",
          name);
    return line;
  }
  if (auto why = take_client_parameters(t); !why.empty()) return usage_error(why, "driver load");
  line.command = client_command(app);
  line.client = t.client;
  if (line.command == Command::FilterAdd && t.client.action.starts_with("callout") != !t.client.callout.empty())
    return usage_error("--callout and an --action that begins with callout go together", "filter add");
  if (line.command == Command::Connect && !stack::IpAddress::parse(t.client.address))
    return usage_error("'" + t.client.address + "' is no IP address, such as 10.77.0.1 or fd77::1", name);
  return line;
}

}  // namespace

std::variant<CommandLine, EndEarly> parse_command_line(const std::vector<std::string>& arguments) {
  const auto separator = std::find(arguments.begin(), arguments.end(), "--");
  std::vector<std::string> ours(arguments.begin(), separator);
  std::vector<std::string> command;
  if (separator != arguments.end()) command.assign(separator + 1, arguments.end());

  Texts texts;
  CLI::App app{"wfptap: a TCP/IP stack on a TAP device that meets Windows callout drivers with real traffic",
               "wfptap"};
  app.set_version_flag("--version", "wfptap " + std::string(kVersion));
  app.require_subcommand(1);
  define_test(app, texts);
  define_run(app, texts);
  define_show(app, texts);
  define_filter(app, texts);
  define_driver(app, texts);
  define_streams(app, texts);
  // Last, because commands inherit the footer that is there when they are added.
  app.footer("'wfptap COMMAND --help' tells the options of a command, and its exit codes.");

  const auto named =
      app.get_subcommands([&](const CLI::App* one) { return !ours.empty() && one->get_name() == ours.front(); });
  const CLI::App* chosen = named.empty() ? nullptr : named.front();
  if (chosen == nullptr && (ours.empty() || !ours.front().starts_with('-')))
    return usage_error((ours.empty() ? "no command is given" : "'" + ours.front() + "' is no command") +
                           "; there are " + command_names(app),
                       "");
  if (chosen != nullptr && chosen->get_option_no_throw("--config") != nullptr)
    if (auto why = merge_config_file(*chosen, ours); !why.empty()) return usage_error(why, ours.front());
  try {
    std::vector<std::string> reversed(ours.rbegin(), ours.rend());
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out, err;
    const int code = app.exit(error, out, err);
    if (code == 0) return EndEarly{0, out.str()};
    return usage_error(error.what(), full_name(chosen, ours));
  }
  return finish(app, texts, ours, std::move(command), separator != arguments.end());
}

}  // namespace app
