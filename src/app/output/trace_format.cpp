#include "src/app/output/trace_format.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "src/app/output/metadata_members.hpp"

namespace app::output {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmpv6 = 58;

bool is_icmp(std::uint8_t protocol) { return protocol == kIcmp || protocol == kIcmpv6; }

std::string hex(std::uint64_t value) {
  std::array<char, 24> text;
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(value));
  return text.data();
}

std::string_view name_of(stack::Direction direction) {
  return direction == stack::Direction::Inbound ? "inbound" : "outbound";
}

std::string clock_text(std::int64_t time_ns) {
  const std::time_t seconds = static_cast<std::time_t>(time_ns / 1'000'000'000);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  std::array<char, 48> text;
  std::snprintf(text.data(), text.size(), "%02d:%02d:%02d.%06d", parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<int>(time_ns / 1000 % 1'000'000));
  return text.data();
}

std::string_view module_name(FWPS_DISCARD_MODULE0 module) {
  constexpr std::array<std::string_view, 3> kNames{"network", "transport", "general"};
  return static_cast<std::size_t>(module) < kNames.size() ? kNames[static_cast<std::size_t>(module)] : "unknown";
}

Json member_json(const MetadataMember& member, const TraceEntry& entry) {
  const auto m = metadata_of(entry);
  switch (member.kind) {
    case MemberKind::Number:
      return number_of(member, m);
    case MemberKind::Handle:
      return hex(number_of(member, m));
    case MemberKind::Path:
      return entry.process_path;
    case MemberKind::Direction:
      return m.packetDirection == FWP_DIRECTION_INBOUND ? "inbound" : "outbound";
    case MemberKind::Discard:
      return Json{{"discardModule", module_name(m.discardMetadata.discardModule)},
                  {"discardReason", m.discardMetadata.discardReason},
                  {"filterId", m.discardMetadata.filterId}};
    case MemberKind::Fragment:
      return Json{{"fragmentIdentification", m.fragmentMetadata.fragmentIdentification},
                  {"fragmentOffset", m.fragmentMetadata.fragmentOffset},
                  {"fragmentLength", m.fragmentMetadata.fragmentLength}};
    case MemberKind::Prefix:
      return Json{{"PrefixLength", m.destinationPrefix.PrefixLength}};
  }
  return nullptr;
}

Json metadata_json(const TraceEntry& entry) {
  Json json;
  const auto metadata = metadata_of(entry);
  for (const auto& member : metadata_members())
    if (member.bit != 0 ? is_present(member, metadata) : member.name == "currentMetadataValues")
      json[std::string(member.name)] = member_json(member, entry);
  return json;
}

Json flags_json(const TraceEntry& entry) {
  Json flags = Json::array();
  if (entry.absorb) flags.push_back("absorb");
  if (entry.pended) flags.push_back("pended");
  return flags;
}

Json callouts_json(const TraceEntry& entry) {
  Json list = Json::array();
  for (const auto& call : entry.callouts)
    list.push_back(
        {{"callout", call.callout_id}, {"filter", call.filter_id}, {"driver", call.driver}, {"action", call.action}});
  return list;
}

// Those that did not decide: "; asked 257 continue (inspect)".
std::string asked_text(const TraceEntry& entry) {
  std::string text;
  for (const auto& call : entry.callouts) {
    if (call.callout_id == entry.callout_id && call.filter_id == entry.filter_id) continue;
    text += (text.empty() ? "; asked " : ", ") + std::to_string(call.callout_id) + " " + std::string(call.action);
    if (!call.driver.empty()) text += " (" + call.driver + ")";
  }
  return text;
}

std::string dx_value(const MetadataMember& member, const TraceEntry& entry) {
  const auto m = metadata_of(entry);
  switch (member.kind) {
    case MemberKind::Discard:
      return std::string(module_name(m.discardMetadata.discardModule)) + " reason " +
             hex(m.discardMetadata.discardReason) + " filterId " + hex(m.discardMetadata.filterId);
    case MemberKind::Fragment:
      return "id " + hex(m.fragmentMetadata.fragmentIdentification) + " offset " +
             hex(m.fragmentMetadata.fragmentOffset) + " length " + hex(m.fragmentMetadata.fragmentLength);
    case MemberKind::Path:
      return hex(number_of(member, m)) + (entry.process_path.empty() ? "" : " \"" + entry.process_path + "\"");
    case MemberKind::Prefix:
      return "/" + std::to_string(m.destinationPrefix.PrefixLength);
    default:
      return hex(number_of(member, m));
  }
}

// Columns of a line, so that lines which are no longer than an IPv4 segment's stand under each other.
constexpr std::size_t kOriginColumn = 111, kMetadataColumn = 126, kActionColumn = 147;
void pad(std::string& line, std::size_t column) { line.resize(std::max(line.size(), column), ' '); }

}  // namespace

std::optional<TraceFormat> trace_format_named(std::string_view name) {
  if (name == "line") return TraceFormat::Line;
  if (name == "dx") return TraceFormat::Dx;
  if (name == "json") return TraceFormat::Json;
  return std::nullopt;
}

std::string protocol_name(std::uint8_t protocol) {
  switch (protocol) {
    case kIcmp:
      return "icmp";
    case kTcp:
      return "tcp";
    case kUdp:
      return "udp";
    case kIcmpv6:
      return "icmpv6";
    default:
      return std::to_string(protocol);
  }
}

std::string tcp_flag_letters(std::uint8_t flags) {
  constexpr std::array<std::pair<std::uint8_t, char>, 8> kLetters{
      {{0x02, 'S'}, {0x04, 'R'}, {0x01, 'F'}, {0x08, 'P'}, {0x10, 'A'}, {0x20, 'U'}, {0x40, 'E'}, {0x80, 'C'}}};
  std::string letters;
  for (const auto& [bit, letter] : kLetters)
    if ((flags & bit) != 0) letters += letter;
  return letters;
}

std::string format_line(const TraceEntry& entry) {
  const bool inbound = entry.direction == stack::Direction::Inbound;
  std::string line = clock_text(entry.time_ns) + (inbound ? "  in  " : "  out ") + std::string(entry.layer) + " " +
                     protocol_name(entry.protocol) + " ";
  const std::string local = shim::end_text(entry.protocol, entry.local),
                    remote = shim::end_text(entry.protocol, entry.remote);
  line += inbound ? remote + " > " + local : local + " > " + remote;
  if (is_icmp(entry.protocol))
    line += " type " + std::to_string(entry.local.port) + " code " + std::to_string(entry.remote.port);
  if (entry.protocol == kTcp && entry.tcp_flags != 0) line += " [" + tcp_flag_letters(entry.tcp_flags) + "]";
  line += " length " + std::to_string(entry.length);
  pad(line, kOriginColumn);
  line += "  " + std::string(entry.origin);
  pad(line, kMetadataColumn);
  line += "  metadata " + hex(metadata_of(entry).currentMetadataValues);
  pad(line, kActionColumn);
  line += "  " + std::string(entry.action);
  if (entry.absorb) line += " absorb";
  if (entry.pended) line += " pended";
  if (entry.filter_id != 0) line += " filter " + std::to_string(entry.filter_id);
  if (entry.callout_id != 0) line += " callout " + std::to_string(entry.callout_id);
  if (!entry.driver.empty()) line += " (" + entry.driver + ")";
  line += asked_text(entry);
  if (!entry.injection_state.empty() && entry.injection_state != "none" && entry.injection_state != entry.origin)
    line += "  " + std::string(entry.injection_state);
  return line + "\n";
}

std::string format_json(const TraceEntry& entry) {
  Json json{{"time_ns", entry.time_ns},
            {"layer", entry.layer},
            {"direction", name_of(entry.direction)},
            {"origin", entry.origin},
            {"protocol", protocol_name(entry.protocol)},
            {"local", shim::end_text(entry.protocol, entry.local)},
            {"remote", shim::end_text(entry.protocol, entry.remote)},
            {"tcp_flags", entry.protocol == kTcp ? tcp_flag_letters(entry.tcp_flags) : ""},
            {"length", entry.length},
            {"metadata", metadata_json(entry)},
            {"filter", entry.filter_id},
            {"callout", entry.callout_id},
            {"driver", entry.driver},
            {"callouts", callouts_json(entry)},
            {"action", entry.action},
            {"flags", flags_json(entry)},
            {"injection_state", entry.injection_state}};
  if (is_icmp(entry.protocol)) {
    json["icmp_type"] = entry.local.port;
    json["icmp_code"] = entry.remote.port;
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string format_dx(const TraceEntry& entry) {
  std::string text = format_line(entry);
  text += "(*inMetaValues)                 [Type: FWPS_INCOMING_METADATA_VALUES0_]\n";
  for (const auto& member : metadata_members()) {
    std::array<char, 256> head;
    std::snprintf(head.data(), head.size(), "    [+0x%03zx] %-25s : ", member.offset,
                  std::string(member.name).c_str());
    text += head.data() + dx_value(member, entry) + " [Type: " + std::string(member.type) + "]\n";
    if (member.name == "currentMetadataValues")
      text += "             " + metadata_bit_names(metadata_of(entry).currentMetadataValues) + "\n";
  }
  return text;
}

std::string format(const TraceEntry& entry, TraceFormat format) {
  switch (format) {
    case TraceFormat::Line:
      return format_line(entry);
    case TraceFormat::Dx:
      return format_dx(entry);
    case TraceFormat::Json:
      return format_json(entry);
  }
  return {};
}

std::string format_dropped(std::uint64_t count, TraceFormat format) {
  if (format == TraceFormat::Json) return Json{{"dropped", count}}.dump() + "\n";
  return "*** " + std::to_string(count) + " records were dropped here: the reader was too slow\n";
}

}  // namespace app::output
