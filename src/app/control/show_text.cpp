#include "src/app/control/show_text.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

namespace app::control {
namespace {

struct Column {
  std::string_view key;
  std::string_view heading;
};
struct Table {
  std::string_view topic;
  std::string_view explanation;  // above the table
  std::string_view when_empty;
  std::span<const Column> columns;
};

constexpr std::array kFlows{Column{"flow", "flow"},           Column{"protocol", "protocol"},
                            Column{"local", "local"},         Column{"remote", "remote"},
                            Column{"direction", "direction"}, Column{"process", "process"}};
constexpr std::array kEndpoints{Column{"endpoint", "endpoint"}, Column{"protocol", "protocol"},
                                Column{"local", "local"},       Column{"remote", "remote"},
                                Column{"state", "state"},       Column{"process", "process"}};
constexpr std::array kLayers{Column{"layer", "layer"},         Column{"asked", "asked"},
                             Column{"filters", "filters"},     Column{"classified", "classified"},
                             Column{"permitted", "permitted"}, Column{"blocked", "blocked"},
                             Column{"absorbed", "absorbed"}};
constexpr std::array kCallouts{Column{"id", "id"},
                               Column{"name", "name"},
                               Column{"driver", "driver"},
                               Column{"layer", "layer"},
                               Column{"registered", "registered"},
                               Column{"flags", "flags"},
                               Column{"flow_contexts", "flow contexts"},
                               Column{"key", "key"}};
constexpr std::array kFilters{Column{"id", "id"},           Column{"layer", "layer"},
                              Column{"asked", "asked"},     Column{"sublayer", "sublayer"},
                              Column{"weight", "weight"},   Column{"action", "action"},
                              Column{"callout", "callout"}, Column{"conditions", "conditions"},
                              Column{"hits", "hits"},       Column{"name", "name"}};
constexpr std::array kDrivers{Column{"name", "name"},       Column{"state", "state"},
                              Column{"objects", "objects"}, Column{"violations", "violations"},
                              Column{"notes", "notes"},     Column{"file", "file"}};
constexpr std::array kObjects{Column{"driver", "driver"}, Column{"kind", "kind"}, Column{"count", "count"},
                              Column{"bytes", "bytes"}, Column{"detail", "oldest"}};
constexpr std::array kNetEvents{Column{"time", "time"},     Column{"type", "type"},     Column{"layer", "layer"},
                                Column{"reason", "reason"}, Column{"filter", "filter"}, Column{"callout", "callout"},
                                Column{"packet", "packet"}};

constexpr std::array kTables{
    Table{"flows", "Conversations that the stack has authorized.", "There is no flow.", kFlows},
    Table{"endpoints", "Sockets of the stack: what listens, what is connected.", "There is no endpoint.", kEndpoints},
    Table{"layers",
          "Filtering layers that have or had filters or were asked, and what became of the classify calls. Not "
          "asked: wfptap\n"
          "does not ask this layer yet.",
          "No layer has a filter, and none was asked yet.", kLayers},
    Table{"callouts", "Callouts that drivers registered or that were added to the engine.", "There is no callout.",
          kCallouts},
    Table{"filters",
          "Filters in the order in which they are asked, layer by layer; at a layer that is not asked none ever "
          "matches.",
          "There is no filter.", kFilters},
    Table{"drivers", "Loaded drivers and what they hold.", "No driver is loaded.", kDrivers},
    Table{"objects", "What drivers hold at this moment, by kind.", "No driver holds anything.", kObjects},
    Table{"netevents", "The latest packets and operations that were dropped, and why.", "No packet was dropped yet.",
          kNetEvents},
};

std::string cell_text(const Json& row, std::string_view key) {
  const auto found = row.find(key);
  if (found == row.end() || found->is_null()) return "-";
  if (found->is_string()) return found->get_ref<const std::string&>().empty() ? "-" : found->get<std::string>();
  if (found->is_boolean()) return found->get<bool>() ? "yes" : "no";
  return found->dump();
}

std::string table_text(const Table& table, const Json& rows) {
  if (rows.empty()) return std::string(table.when_empty) + "\n";
  std::vector<std::vector<std::string>> cells;
  auto& headings = cells.emplace_back();
  for (const auto& column : table.columns) headings.emplace_back(column.heading);
  for (const auto& row : rows) {
    auto& line = cells.emplace_back();
    for (const auto& column : table.columns) line.push_back(cell_text(row, column.key));
  }
  std::vector<std::size_t> widths(table.columns.size());
  for (const auto& line : cells)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  std::string text = std::string(table.explanation) + "\n";
  for (const auto& line : cells) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      text += line[i];
      if (i + 1 < line.size()) text.append(widths[i] + 2 - line[i].size(), ' ');
    }
    text += "\n";
  }
  return text;
}

// Below the table of the layers: who turned which offload off.
std::string offload_text(const Json& result) {
  std::string text;
  if (const auto refused = result.find("offload"); refused != result.end() && refused->is_array())
    for (const auto& line : *refused)
      if (line.is_string()) text += line.get_ref<const std::string&>() + "\n";
  return text;
}

// "name: value" lines; what is inside an object stands below its name, indented.
void append_lines(std::string& text, const Json& object, const std::string& indent) {
  for (const auto& [key, value] : object.items()) {
    std::string name = key;
    std::replace(name.begin(), name.end(), '_', ' ');
    if (value.is_object()) {
      text += indent + name + ":\n";
      append_lines(text, value, indent + "  ");
    } else if (value.is_array()) {
      text += indent + name + ":" + (value.empty() ? " none" : "") + "\n";
      for (const auto& item : value) {
        if (item.is_object()) {
          append_lines(text, item, indent + "  ");
        } else {
          text += indent + "  " + (item.is_string() ? item.get<std::string>() : item.dump()) + "\n";
        }
      }
    } else {
      text += indent + name + ": " + cell_text(object, key) + "\n";
    }
  }
}

}  // namespace

std::string show_text(const std::string& topic, const Json& result) {
  for (const auto& table : kTables)
    if (table.topic == topic && result.contains(topic) && result[topic].is_array())
      return table_text(table, result[topic]) + offload_text(result);
  std::string text;
  append_lines(text, result, "");
  return text;
}

}  // namespace app::control
