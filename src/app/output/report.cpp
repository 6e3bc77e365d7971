#include "src/app/output/report.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "src/app/files/output_file.hpp"

namespace app::output {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const InjectionRecord& record) {
  return {{"accepted", record.accepted},
          {"completed", record.completed},
          {"failed", record.failed},
          {"refused", record.refused}};
}

Json json_of(const std::vector<DriverRecord>& drivers) {
  Json list = Json::array();
  for (const auto& driver : drivers)
    list.push_back({{"name", driver.name},
                    {"file", driver.file},
                    {"sha256", driver.sha256},
                    {"loaded", driver.loaded},
                    {"unloaded", driver.unloaded},
                    {"left", driver.left}});
  return list;
}

Json json_of(const std::map<std::string, LayerRecord>& layers) {
  Json object = Json::object();
  for (const auto& [name, layer] : layers) {
    object[name] = {{"classified", layer.classified},
                    {"permitted", layer.permitted},
                    {"blocked", layer.blocked},
                    {"absorbed", layer.absorbed}};
    if (!layer.is_asked) object[name]["asked"] = false;
  }
  return object;
}

Json json_of(const SourceFrame& frame) {
  char offset[24];
  std::snprintf(offset, sizeof offset, "0x%llx", static_cast<unsigned long long>(frame.offset));
  const auto known = [](const auto& value, bool is_known) { return is_known ? Json(value) : Json(nullptr); };
  return {{"function", known(frame.function, !frame.function.empty())},
          {"file", known(frame.file, !frame.file.empty())},
          {"line", known(frame.line, frame.line != 0)},
          {"image", frame.image},
          {"offset", offset},
          {"inlined", frame.inlined}};
}

Json json_of(const std::vector<SourceFrame>& frames) {
  Json list = Json::array();
  for (const auto& frame : frames) list.push_back(json_of(frame));
  return list;
}

Json json_of(const std::vector<OriginRecord>& origins) {
  Json list = Json::array();
  for (const auto& origin : origins)
    list.push_back({{"what", origin.what}, {"count", origin.count}, {"stack", json_of(origin.stack)}});
  return list;
}

Json json_of(const std::vector<ViolationRecord>& violations) {
  Json list = Json::array();
  for (const auto& violation : violations)
    list.push_back({{"rule", violation.rule},
                    {"message", violation.message},
                    {"driver", violation.driver},
                    {"callout", violation.callout},
                    {"packet", violation.packet},
                    {"count", violation.count},
                    {"place", violation.stack.empty() ? Json(nullptr) : json_of(violation.stack.front())},
                    {"stack", json_of(violation.stack)},
                    {"origins", json_of(violation.origins)}});
  return list;
}

Json json_of(const MemoryRecord& memory) {
  Json uses = Json::object();
  for (const auto& [name, use] : memory.uses)
    uses[name] = {{"held", use.held}, {"high_water", use.high_water}, {"refused", use.refused}};
  return {{"receive_limit", memory.limit},           {"pruned", memory.pruned},
          {"frames_refused", memory.frames_refused}, {"uses", uses},
          {"send_limit", memory.send_limit},         {"send_held", memory.send_held}};
}

Json packets_json(const Report& report) {
  Json dropped = Json::object();
  for (const auto& [reason, count] : report.packets_dropped) dropped[reason] = count;
  return {{"received", report.packets_received},
          {"sent", report.packets_sent},
          {"dropped", dropped},
          {"absorbed_never_reinjected", report.absorbed_never_reinjected}};
}

Json command_json(const Report& report) {
  Json code = report.command_ran ? Json(report.command_code) : Json(nullptr);
  Json json{{"arguments", report.command}, {"exit_code", code}};
  if (report.expected_code) json["expected_code"] = *report.expected_code;
  return json;
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string count_of(std::uint64_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string layers_text(const Report& report) {
  if (report.layers.empty()) return {};
  constexpr std::size_t kName = 44, kColumn = 12;
  std::string text = padded("layer", kName) + padded("classified", kColumn) + padded("permitted", kColumn) +
                     padded("blocked", kColumn) + "absorbed\n";
  for (const auto& [name, layer] : report.layers)
    text += padded(name, kName) + padded(std::to_string(layer.classified), kColumn) +
            padded(std::to_string(layer.permitted), kColumn) + padded(std::to_string(layer.blocked), kColumn) +
            (layer.is_asked ? std::to_string(layer.absorbed)
                            : padded(std::to_string(layer.absorbed), kColumn) + "this layer is never asked") +
            "\n";
  return text;
}

// "  at f (a.c:1)" and a line for each frame that called it.
std::string stack_text(std::string head, const std::vector<SourceFrame>& stack) {
  std::string text;
  for (const auto& frame : stack) text += "  " + std::exchange(head, "from") + " " + app::text_of(frame) + "\n";
  return text;
}

// Whoever compiled without debug information is told once.
std::string hint_text(const Report& report) {
  const auto lacks = [](const ViolationRecord& record) {
    return lacks_debug_information(record.stack) ||
           std::ranges::any_of(record.origins,
                               [](const OriginRecord& origin) { return lacks_debug_information(origin.stack); });
  };
  const bool wanted = std::ranges::any_of(report.violations, lacks) || std::ranges::any_of(report.notes, lacks);
  return wanted ? std::string(kDebugHint) + "\n" : std::string();
}

std::string text_of(const char* what, const std::vector<ViolationRecord>& violations) {
  std::string text;
  for (const auto& violation : violations) {
    text += what + (" " + violation.rule) + (violation.driver.empty() ? "" : " by " + violation.driver) +
            (violation.count > 1 ? " (" + count_of(violation.count, "time") + ")" : "") + ": " + violation.message +
            "\n";
    text += stack_text("at", violation.stack);
    for (const auto& origin : violation.origins)
      text += stack_text(origin.what + (origin.count > 1 ? " " + count_of(origin.count, "time") : "") + " at",
                         origin.stack);
    if (!violation.callout.empty() && violation.message.find(violation.callout) == std::string::npos)
      text += "  in " + violation.callout + "\n";
    if (!violation.packet.empty()) text += "  packet: " + violation.packet + "\n";
  }
  return text;
}

std::string drivers_text(const Report& report) {
  std::string text;
  for (const auto& driver : report.drivers) {
    text += "driver " + driver.name + ": " +
            (!driver.loaded    ? "not loaded"
             : driver.unloaded ? "loaded and unloaded"
                               : "loaded, NOT unloaded: " + driver.why_not_unloaded) +
            "\n";
    for (const auto& line : driver.left) text += "  left behind: " + line + "\n";
  }
  return text;
}

std::string text_of(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

Json object_of(const Report& report) {
  Json injections = json_of(report.injections);
  for (const auto& [direction, record] : report.injections_by_direction) injections[direction] = json_of(record);
  Json objects = Json::object();
  for (const auto& [kind, count] : report.objects_alive)
    if (count != 0) objects[kind] = count;
  Json json{{"run", {{"version", report.run.version}, {"seed", report.run.seed}, {"options", report.run.options}}},
            {"drivers", json_of(report.drivers)},
            {"layers", json_of(report.layers)},
            {"injections", injections},
            {"pended", {{"started", report.pends_started}, {"completed", report.pends_completed}}},
            {"packets", packets_json(report)},
            {"memory", json_of(report.memory)},
            {"objects", objects},
            {"violations", json_of(report.violations)},
            {"notes", json_of(report.notes)},
            {"command", command_json(report)},
            {"exit", {{"reason", name_of(report.exit.reason)}, {"code", report.exit.code}}}};
  if (!report.fault.empty()) {
    json["fault"] = report.fault;
    json["fault_stack"] = json_of(report.fault_stack);
  }
  if (!report.problems.empty()) json["problems"] = report.problems;
  return json;
}

}  // namespace

std::string to_json(const Report& report) { return text_of(object_of(report)); }

std::string to_json(const Report& report, const std::string& known) {
  Json json = object_of(report);
  const Json before = Json::parse(known, nullptr, false);
  if (!before.is_object()) return text_of(json);
  constexpr std::array kBetterHere{"command", "exit", "fault", "problems"};
  const bool has_stack = !report.fault_stack.empty();
  for (const auto& [key, value] : before.items())
    if (std::ranges::find(kBetterHere, key) == kBetterHere.end() && !(has_stack && key == "fault_stack"))
      json[key] = value;
  return text_of(json);
}

std::string to_text(const Report& report) {
  std::string text = "--- wfptap report ---\n" + drivers_text(report) + layers_text(report);
  text += "injections: " + std::to_string(report.injections.accepted) + " accepted, " +
          std::to_string(report.injections.completed) + " completed, " + std::to_string(report.injections.failed) +
          " failed" +
          (report.injections.refused != 0 ? ", " + count_of(report.injections.refused, "call") + " refused" : "") +
          "\n";
  text += "pended: " + std::to_string(report.pends_started) + " started, " + std::to_string(report.pends_completed) +
          " completed\n";
  text += "packets: " + std::to_string(report.packets_received) + " received, " +
          std::to_string(report.packets_sent) + " sent, " + std::to_string(report.absorbed_never_reinjected) +
          " absorbed and never reinjected\n";
  for (const auto& [reason, count] : report.packets_dropped)
    if (count != 0) text += "dropped " + reason + ": " + std::to_string(count) + "\n";
  for (const auto& [kind, count] : report.objects_alive)
    if (count != 0) text += "still alive: " + count_of(count, kind.c_str()) + "\n";
  text += text_of("violation", report.violations);
  text += hint_text(report);
  text += "violations: " + std::to_string(report.violation_count) + "\n";
  text += text_of("note", report.notes);
  if (report.note_count != 0)
    text += "notes: " + std::to_string(report.note_count) +
            (report.strict ? ", and --strict counts them as violations" : "") + "\n";
  for (const auto& problem : report.problems) text += problem + "\n";
  return text;
}

tap::FileDescriptor open_report(const std::string& path, std::string& error) {
  auto file = files::open_output_file(path, files::kUsual);
  if (!file) return error = "--report " + file.why(), tap::FileDescriptor{};
  return std::move(*file);
}

bool write_report(const Report& report, int fd) { return write_report_text(to_json(report), fd); }

bool write_report_text(const std::string& json, int fd) {
  for (std::size_t at = 0; at < json.size();) {
    const auto written = write(fd, json.data() + at, json.size() - at);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    at += static_cast<std::size_t>(written);
  }
  return true;
}

}  // namespace app::output
