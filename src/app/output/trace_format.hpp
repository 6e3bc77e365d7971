// The three faces of a classify call: a line to read along, an object to compute with, and the metadata member by
// member with offsets, the way a Windows debugger prints a structure.
#pragma once

#include <optional>

#include "src/app/output/trace_entry.hpp"

namespace app::output {

enum class TraceFormat { Line, Dx, Json };
std::optional<TraceFormat> trace_format_named(std::string_view name);

std::string format_line(const TraceEntry& entry);  // each ends with a newline
std::string format_json(const TraceEntry& entry);
std::string format_dx(const TraceEntry& entry);
std::string format(const TraceEntry& entry, TraceFormat format);
// Says in the stream's own form that `count` records are missing.
std::string format_dropped(std::uint64_t count, TraceFormat format);

std::string protocol_name(std::uint8_t protocol);  // tcp, udp, icmp, icmpv6, or the number
std::string tcp_flag_letters(std::uint8_t flags);  // SA; of S R F P A U E C, in this order

}  // namespace app::output
