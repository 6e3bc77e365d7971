#include "src/app/daemon/show.hpp"

#include <algorithm>
#include <array>
#include <ctime>

#include "src/app/daemon/counts.hpp"
#include "src/app/output/trace_entry.hpp"
#include "src/app/output/trace_format.hpp"
#include "stack/core/stack.hpp"
#include "wfp/engine/engine.hpp"
#include "wfp/flow/flows.hpp"
#include "wfp/ledger/ledger.hpp"

namespace app {
namespace {

using control::Json;

constexpr std::uint8_t kTcp = 6;

std::string hex(std::uint64_t value) {
  std::array<char, 24> text;
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(value));
  return text.data();
}

std::string guid_text(const GUID& key) {
  std::array<char, 48> text;
  std::snprintf(text.data(), text.size(), "{%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x}",
                static_cast<unsigned>(key.Data1), key.Data2, key.Data3, key.Data4[0], key.Data4[1], key.Data4[2],
                key.Data4[3], key.Data4[4], key.Data4[5], key.Data4[6], key.Data4[7]);
  return text.data();
}

// Rows up to the bound; how many there were beyond it is said.
class Rows {
 public:
  explicit Rows(std::string name) : name_(std::move(name)) {}
  void add(Json row) {
    if (rows_.size() < kMaxRows) {
      rows_.push_back(std::move(row));
    } else {
      ++left_out_;
    }
  }
  Json take() {
    Json result{{name_, std::move(rows_)}};
    if (left_out_ > 0) result["left_out"] = left_out_;
    return result;
  }

 private:
  std::string name_;
  Json rows_ = Json::array();
  std::uint64_t left_out_ = 0;
};

std::string process_text(const stack::Owner* owner) {
  if (owner == nullptr || (owner->process_id == 0 && owner->process_path.empty())) return "";
  const auto path = output::utf8(owner->process_path);
  return std::to_string(owner->process_id) + " " + path.substr(path.rfind('\\') + 1);
}

std::string address_text(const std::array<std::uint8_t, 16>& bytes, bool is_v4, std::uint16_t port) {
  const auto all = std::as_bytes(std::span{bytes});
  return stack::SocketAddress{is_v4 ? stack::IpAddress::v4(all.first(4)) : stack::IpAddress::v6(all), port}
      .to_string();
}

std::string end_text(const NetEvents::Event& event, const stack::SocketAddress& end) {
  return end.port != 0 ? shim::end_text(event.protocol, end) : end.address.to_string();
}

std::string packet_text(const NetEvents::Event& event) {
  if (event.protocol == 0) return "";
  const auto local = end_text(event, event.local), remote = end_text(event, event.remote);
  const bool inbound = event.direction == stack::Direction::Inbound;
  std::string text =
      output::protocol_name(event.protocol) + " " + (inbound ? remote : local) + " > " + (inbound ? local : remote);
  if (event.protocol == kTcp && event.tcp_flags != 0) text += " [" + output::tcp_flag_letters(event.tcp_flags) + "]";
  return text;
}

std::string time_text(std::int64_t time_ns) {
  const auto seconds = static_cast<std::time_t>(time_ns / 1'000'000'000);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  std::array<char, 48> text;
  std::snprintf(text.data(), text.size(), "%02d:%02d:%02d.%03d", parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<int>(time_ns / 1'000'000 % 1000));
  return text.data();
}

}  // namespace

Json show_flows(node::System&) {
  Rows rows{"flows"};
  const auto* table = wfp::flow::Flows::current();
  if (table == nullptr) return rows.take();
  for (const auto& [flow, facts] : table->list(kMaxRows)) {
    const bool is_v4 = facts.address_family == AF_INET;
    rows.add({{"flow", hex(flow)},
              {"protocol", output::protocol_name(facts.protocol)},
              {"local", address_text(facts.local, is_v4, facts.local_port)},
              {"remote", address_text(facts.remote, is_v4, facts.remote_port)},
              {"direction", facts.inbound ? "inbound" : "outbound"},
              {"process", facts.process_id}});
  }
  return rows.take();
}

Json show_endpoints(node::System& system) {
  Rows rows{"endpoints"};
  system.stack().endpoints().for_each([&](const stack::ip::EndpointRecord& record) {
    rows.add({{"endpoint", hex(record.facts.endpoint.value)},
              {"protocol", record.protocol == 0 ? "any" : output::protocol_name(record.protocol)},
              {"local", record.protocol == 0 ? "" : record.local.to_string()},
              {"remote", record.remote.port == 0 ? "" : record.remote.to_string()},
              {"state", record.state},
              {"process", process_text(record.facts.owner)}});
  });
  return rows.take();
}

// Who turned which offload off, a sentence each.
Json refused_offloads(const wfp::engine::Engine& engine) {
  Json result = Json::array();
  for (const auto& refusal : engine.offload_consent().refusals()) {
    const bool is_send = refusal.offload == wfp::engine::Offload::Send;
    const bool is_v6 = refusal.family == wfp::model::IpFamily::V6;
    result.push_back(std::string(is_send ? "checksum and large send" : "large receive") + " offload is off over " +
                     (is_v6 ? "IPv6" : "IPv4") + ": callout " + std::to_string(refusal.callout_id) + " of driver " +
                     refusal.driver + " at " + std::string(wfp::model::layer_name(refusal.layer)) +
                     " was registered without " + refusal.missing_flag);
  }
  return result;
}

Json show_layers(node::System& system) {
  Rows rows{"layers"};
  for (const auto& layer : system.engine().layer_reports())
    rows.add({{"layer", layer.name},
              {"asked", layer.is_asked},
              {"filters", layer.filters},
              {"classified", layer.counts.classified},
              {"permitted", layer.counts.permitted},
              {"blocked", layer.counts.blocked},
              {"absorbed", layer.counts.absorbed}});
  auto result = rows.take();
  result["offload"] = refused_offloads(system.engine());
  return result;
}

Json show_callouts(node::System& system) {
  Rows rows{"callouts"};
  for (const auto& callout : system.engine().callout_reports())
    rows.add({{"id", callout.id},
              {"name", callout.name},
              {"driver", callout.driver},
              {"layer", callout.layer},
              {"registered", callout.is_registered},
              {"flags", hex(callout.flags)},
              {"flow_contexts", callout.flow_contexts},
              {"key", guid_text(callout.key)}});
  return rows.take();
}

Json show_filters(node::System& system) {
  Rows rows{"filters"};
  for (const auto& filter : system.engine().filter_reports())
    rows.add({{"id", filter.id},
              {"layer", filter.layer},
              {"asked", filter.is_asked},
              {"sublayer", filter.sublayer},
              {"weight", filter.weight},
              {"action", filter.action},
              {"callout", filter.callout_id == 0 ? Json(nullptr) : Json(filter.callout_id)},
              {"conditions", filter.conditions},
              {"hits", filter.hits},
              {"name", filter.name}});
  return rows.take();
}

Json show_net_events(node::System& system, const NetEvents& events, std::int64_t epoch_ns) {
  Rows rows{"netevents"};
  for (const auto& event : events.latest())
    rows.add({{"time", time_text(event.time.ns() + epoch_ns)},
              {"type", "drop"},
              {"reason", event.reason},
              {"layer", event.where},
              {"filter", event.filter_id == 0 ? Json(nullptr) : Json(event.filter_id)},
              {"callout", event.callout_id == 0 ? Json(nullptr) : Json(event.callout_id)},
              {"packet", packet_text(event)}});
  auto result = rows.take();
  result["forgotten"] = events.forgotten_count();
  result["dropped"] = packet_counts(system)["dropped"];
  return result;
}

Json show_objects() {
  Rows rows{"objects"};
  for (wfp::ledger::DriverId driver = 0; driver < wfp::ledger::kDriverLimit; ++driver) {
    const auto alive = wfp::ledger::alive(driver, 1);
    for (std::size_t kind = 0; kind < wfp::ledger::kKindCount; ++kind) {
      if (alive.counts[kind] == 0) continue;
      const auto name = wfp::ledger::name_of(static_cast<wfp::ledger::Kind>(kind));
      const bool is_oldest =
          !alive.samples.empty() && alive.samples.front().kind == static_cast<wfp::ledger::Kind>(kind);
      rows.add({{"driver", wfp::ledger::driver_name(driver)},
                {"kind", name},
                {"count", alive.counts[kind]},
                {"bytes", name == "pool_allocation" ? Json(alive.bytes) : Json(nullptr)},
                {"detail", is_oldest ? alive.samples.front().detail : ""}});
    }
  }
  return rows.take();
}

}  // namespace app
