// What the daemon answers on its control socket: control::Backend. Runs on the control thread, which may not
// wait; what changes drivers and filters is handed to the main loop, what looks at the stack to the stack's thread.
#include <algorithm>
#include <array>
#include <cstring>

#include "src/app/cli/version.hpp"
#include "src/app/daemon/counts.hpp"
#include "src/app/daemon/daemon.hpp"
#include "src/app/daemon/filters.hpp"
#include "src/app/daemon/layer_named.hpp"
#include "src/app/daemon/memory_levels.hpp"
#include "src/app/daemon/show.hpp"
#include "stack/core/stack.hpp"
#include "wfp/ledger/violation.hpp"

namespace app {
namespace {

using control::Json;
using control::Reply;

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string left_behind(const std::string& driver, const std::vector<std::string>& left) {
  std::string text = "driver " + driver + " is unloaded, but left behind (and wfptap took away):";
  for (const auto& line : left) text += "\n  " + line;
  return text;
}

std::uint64_t count_of(const std::vector<wfp::ledger::Violation>& violations, const std::string& driver) {
  std::uint64_t count = 0;
  for (const auto& violation : violations)
    if (wfp::ledger::driver_name(violation.driver) == driver) count += violation.count;
  return count;
}

}  // namespace

// Drivers and filters are changed on the main loop. When it has ended, or ends first, the answer says so by itself.
void Daemon::on_loop(std::function<Reply()> task, control::Answer answer) {
  loop_.post([task = std::move(task), answer = std::move(answer)] { answer.give(task()); });
}

void Daemon::on_stack(std::function<Json(node::System&)> task, control::Answer answer) {
  node_->post([task = std::move(task), answer = std::move(answer)](node::System& system) {
    answer.give(Reply::success(task(system)));
  });
}

void Daemon::handle(const Json& request, control::Answer answer) {
  const auto command = text_of(request, "command");
  if (command == "show") return show(text_of(request, "topic"), std::move(answer));
  if (command == "filter add") return on_loop([request] { return add_filter(request); }, std::move(answer));
  if (command == "filter delete") {
    const auto id = request.find("id");
    if (id == request.end() || !id->is_number_unsigned())
      return answer.give(Reply::failure("filter delete wants the filter's id"));
    return on_loop([id = id->get<std::uint64_t>()] { return delete_filter(id); }, std::move(answer));
  }
  if (command == "driver load") return on_loop([this, request] { return load_driver(request); }, std::move(answer));
  if (command == "driver unload")
    return on_loop([this, name = text_of(request, "driver")] { return unload_driver(name); }, std::move(answer));
  answer.give(Reply::failure("'" + command + "' is no command of this daemon"));
}

Reply Daemon::unload_driver(const std::string& name) {
  auto left = drivers_->unload(name);
  if (!left) return Reply::failure(left.why());
  if (!left->empty()) return Reply::failure(left_behind(name, *left));
  return Reply::success({{"unloaded", name}});
}

Reply Daemon::load_driver(const Json& request) {
  auto parameters = options_.parameters;
  const auto given = request.find("parameters");
  if (given != request.end() && given->is_array()) {
    if (given->size() > kMaxDriverParameters) return Reply::failure("too many parameters");
    for (const auto& one : *given)
      if (one.is_object())
        parameters.push_back({text_of(one, "driver"), text_of(one, "value"), text_of(one, "data")});
  }
  auto loaded = drivers_->load(text_of(request, "driver"), parameters);
  return loaded ? Reply::success({{"loaded", *loaded}}) : Reply::failure(loaded.why());
}

void Daemon::show(const std::string& topic, control::Answer answer) {
  using Show = Json (*)(node::System&);
  constexpr std::array<std::pair<std::string_view, Show>, 5> kTables{{{"flows", show_flows},
                                                                      {"endpoints", show_endpoints},
                                                                      {"layers", show_layers},
                                                                      {"callouts", show_callouts},
                                                                      {"filters", show_filters}}};
  if (topic == "drivers") return answer.give(Reply::success(show_drivers()));
  if (topic == "objects") return answer.give(Reply::success(show_objects()));
  if (topic == "status") return on_stack([this](node::System& system) { return status(system); }, std::move(answer));
  if (topic == "netevents")
    return on_stack([this](node::System& system) { return show_net_events(system, *net_events_, epoch_ns_); },
                    std::move(answer));
  for (const auto& entry : kTables)
    if (entry.first == topic) return on_stack(entry.second, std::move(answer));
  answer.give(Reply::failure("there is nothing to show under '" + topic + "'"));
}

std::string Daemon::layer_name(const std::string& name) {
  const auto* layer = layer_named(name);
  return layer != nullptr ? std::string(layer->name) : "";
}

namespace {

// Those of the stack that it does not use at present, and why.
Json unused_addresses(node::System& system) {
  Json unused = Json::array();
  for (const auto& own : system.stack().addresses().all()) {
    if (own.is_usable()) continue;
    const bool is_duplicate = own.state == stack::ip::AddressState::Duplicate;
    unused.push_back(own.prefix.address.to_string() + (is_duplicate ? ": somebody else has it; it is looked for again"
                                                                    : ": being checked for a second owner"));
  }
  return unused;
}

}  // namespace

Json Daemon::status(node::System& system) {
  const auto& features = node_->features();
  Json addresses = Json::array(), host_addresses = Json::array(), services = Json::array();
  for (const auto& prefix : options_.node.addresses)
    addresses.push_back(prefix.address.to_string() + "/" + std::to_string(prefix.length));
  for (const auto& prefix : options_.node.host_addresses)
    host_addresses.push_back(prefix.address.to_string() + "/" + std::to_string(prefix.length));
  for (const auto& service : services_) {
    const auto stats = service->stats();
    services.push_back(stats.name + " on port " + std::to_string(stats.port) + ": " +
                       std::to_string(stats.connections) + " connections, " + std::to_string(stats.accepted) +
                       " accepted, " + std::to_string(stats.requests) + " requests, " +
                       std::to_string(stats.malformed) + " malformed, " + std::to_string(stats.displaced) +
                       " displaced");
  }
  return {{"version", std::string(kVersion)},
          {"device", node_->device_error() == 0
                         ? features.device
                         : features.device + " (gone: " + std::strerror(node_->device_error()) + ")"},
          {"medium", features.medium},
          {"io", features.io},
          {"offloads", features.offloads},
          {"mtu", options_.node.mtu},
          {"addresses", addresses},
          {"host_addresses", host_addresses},
          {"addresses_not_in_use", unused_addresses(system)},
          {"services", services},
          {"packets", packet_counts(system)},
          {"memory", memory_levels(system)},
          {"link", link_counts(node_->link_counts())},
          {"buffers_in_use", system.stack().pool().in_use()},
          {"violations", wfp::ledger::violation_count()},
          {"notes", wfp::ledger::note_count()}};
}

Json Daemon::show_drivers() {
  Json rows = Json::array();
  const auto loaded = drivers_->loaded();
  const auto violations = wfp::ledger::violations(), notes = wfp::ledger::notes();
  for (const auto& record : drivers_->records()) {
    const auto at =
        std::find_if(loaded.begin(), loaded.end(), [&](const auto& one) { return one.first == record.name; });
    rows.push_back({{"name", record.name},
                    {"state", at != loaded.end() ? "loaded"
                              : record.loaded    ? "unloaded"
                                                 : "failed to load"},
                    {"objects", at != loaded.end() ? wfp::ledger::alive(at->second, 0).total() : 0},
                    {"violations", count_of(violations, record.name)},
                    {"notes", count_of(notes, record.name)},
                    {"file", record.file}});
  }
  return {{"drivers", rows}};
}

}  // namespace app
