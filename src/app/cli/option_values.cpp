#include "src/app/cli/option_values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>

#include "src/app/services/service_names.hpp"

namespace app {
namespace {

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

// "KEY=VALUE" items of a comma-separated list, in order. False: an item without '='.
bool for_each_pair(std::string_view list, const std::function<std::string(std::string_view, std::string_view)>& take,
                   std::string& why) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    const auto item = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    const auto equals = item.find('=');
    if (equals == std::string_view::npos) {
      why = quoted(item) + " has no '='";
      return false;
    }
    why = take(item.substr(0, equals), item.substr(equals + 1));
    if (!why.empty()) return false;
  }
  return true;
}

std::optional<double> parse_decimal(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

// 1%, 0.5% or 0.01 as a probability.
std::optional<double> parse_share(std::string_view text) {
  const bool percent = text.ends_with('%');
  if (percent) text.remove_suffix(1);
  const auto value = parse_decimal(text);
  if (!value) return std::nullopt;
  const double share = percent ? *value / 100 : *value;
  if (share < 0 || share > 1) return std::nullopt;
  return share;
}

constexpr stack::Duration kLongestDelay = std::chrono::seconds{10};

}  // namespace

bool is_driver_path(std::string_view name_or_path) {
  // Also files that are none, so that they are called by their kind and not looked for as a name.
  constexpr std::array<std::string_view, 9> kEndings{".so",  ".sys", ".c",   ".cc", ".cpp",
                                                     ".cxx", ".o",   ".obj", ".dll"};
  return name_or_path.find('/') != std::string_view::npos ||
         std::ranges::any_of(kEndings, [&](auto ending) { return name_or_path.ends_with(ending); });
}

std::string driver_name_of(std::string_view name_or_path) {
  if (!is_driver_path(name_or_path)) return std::string(name_or_path);
  const auto file = name_or_path.substr(name_or_path.rfind('/') + 1);
  const auto dot = file.rfind('.');
  return std::string(file.substr(0, dot == 0 ? std::string_view::npos : dot));
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Parsed<stack::IpPrefix> parse_cidr(std::string_view text) {
  using P = Parsed<stack::IpPrefix>;
  if (text.find('/') == std::string_view::npos)
    return P::error(quoted(text) + " has no prefix length; write for example 10.77.0.2/24 or fd77::2/64");
  const auto prefix = stack::IpPrefix::parse(text);
  if (!prefix)
    return P::error(quoted(text) + " is no address with a prefix length, such as 10.77.0.2/24 or fd77::2/64");
  const auto& address = prefix->address;
  if (address.is_unspecified() || address.is_multicast() || address.is_broadcast() || address.is_loopback())
    return P::error(quoted(text) + " cannot be the address of an interface; choose a unicast address");
  if (prefix->length == 0) return P::error(quoted(text) + " has prefix length 0; write the length of its network");
  return *prefix;
}

Parsed<stack::IpAddress> parse_address(std::string_view text) {
  const auto address = stack::IpAddress::parse(text);
  if (!address)
    return Parsed<stack::IpAddress>::error(quoted(text) + " is no IP address, such as 10.77.0.1 or fd77::1");
  return *address;
}

Parsed<stack::Duration> parse_duration(std::string_view text) {
  using P = Parsed<stack::Duration>;
  struct Unit {
    std::string_view suffix;
    double ns;
  };
  constexpr std::array kUnits{Unit{"ns", 1}, Unit{"us", 1e3}, Unit{"ms", 1e6}, Unit{"s", 1e9}, Unit{"", 1e6}};
  for (const auto& unit : kUnits) {
    if (!text.ends_with(unit.suffix)) continue;
    const auto number = parse_decimal(text.substr(0, text.size() - unit.suffix.size()));
    if (!number || *number < 0 || *number * unit.ns > static_cast<double>(kLongestDelay.count())) break;
    return stack::Duration{static_cast<std::int64_t>(*number * unit.ns)};
  }
  return P::error(quoted(text) + " is no time between 0 and 10s; write for example 20ms or 1.5s");
}

Parsed<node::Impairment> parse_impairment(std::string_view text) {
  node::Impairment impairment;
  std::string why;
  const auto take = [&](std::string_view key, std::string_view value) -> std::string {
    if (key == "delay") {
      auto delay = parse_duration(value);
      if (!delay) return delay.why();
      impairment.delay = *delay;
      return {};
    }
    double* share = key == "loss"        ? &impairment.loss
                    : key == "reorder"   ? &impairment.reorder
                    : key == "duplicate" ? &impairment.duplicate
                                         : nullptr;
    if (share == nullptr) return quoted(key) + " is not one of loss, delay, reorder, duplicate";
    const auto parsed = parse_share(value);
    if (!parsed) return quoted(value) + " is no share between 0% and 100%";
    *share = *parsed;
    return {};
  };
  if (text.empty() || !for_each_pair(text, take, why))
    return Parsed<node::Impairment>::error((why.empty() ? "nothing is given" : why) +
                                           "; write for example loss=1%,delay=20ms,reorder=2%,duplicate=1%");
  return impairment;
}

Parsed<DriverParameter> parse_driver_parameter(std::string_view text) {
  const auto equals = text.find('=');
  const auto colon = text.substr(0, equals).rfind(':');
  if (equals == std::string_view::npos || colon == std::string_view::npos || colon == 0 || colon + 1 == equals)
    return Parsed<DriverParameter>::error(quoted(text) +
                                          " is not DRIVER:VALUE=DATA; write for example passthrough:mode=robust");
  return DriverParameter{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1, equals - colon - 1)),
                         std::string(text.substr(equals + 1))};
}

Parsed<ServiceOption> parse_service(std::string_view text) {
  using P = Parsed<ServiceOption>;
  const auto colon = text.find(':');
  ServiceOption option{std::string(text.substr(0, colon)), 0};
  const auto known = services::well_known_port(option.name);
  if (!known) return P::error(quoted(option.name) + " is no service; there are " + services::all_names());
  option.port = *known;
  if (colon == std::string_view::npos) return option;
  const auto port = parse_number(text.substr(colon + 1));
  if (!port || *port == 0 || *port > 65535)
    return P::error(quoted(text.substr(colon + 1)) + " is no port between 1 and 65535");
  option.port = static_cast<std::uint16_t>(*port);
  return option;
}

Parsed<OwnerOption> parse_owner(std::string_view text) {
  using P = Parsed<OwnerOption>;
  const auto colon = text.find(':');
  OwnerOption owner;
  owner.service = std::string(text.substr(0, colon));
  if (!services::well_known_port(owner.service))
    return P::error(quoted(owner.service) + " is no service; there are " + services::all_names());
  std::string why;
  const auto take = [&](std::string_view key, std::string_view value) -> std::string {
    if (key == "pid") {
      owner.process_id = parse_number(value);
      return owner.process_id ? "" : quoted(value) + " is no process id";
    }
    if (value.empty()) return quoted(key) + " is empty";
    if (key == "path") {
      owner.process_path = value;
    } else if (key == "user" && value.starts_with("S-1-")) {
      owner.user_sid = value;
    } else {
      return quoted(std::string(key) + "=" + std::string(value)) + " is not one of pid=N, path=NTPATH, user=S-1-...";
    }
    return {};
  };
  if (colon == std::string_view::npos || !for_each_pair(text.substr(colon + 1), take, why))
    return P::error((why.empty() ? quoted(text) + " names no property" : why) +
                    "; write for example http:pid=4,path=\\device\\harddiskvolume1\\http.exe,user=S-1-5-18");
  return owner;
}

Parsed<stack::LogLevel> parse_log_level(std::string_view text) {
  if (text == "debug") return stack::LogLevel::Debug;
  if (text == "info") return stack::LogLevel::Info;
  if (text == "warning") return stack::LogLevel::Warning;
  if (text == "error") return stack::LogLevel::Error;
  return Parsed<stack::LogLevel>::error(quoted(text) + " is not one of debug, info, warning, error");
}

Parsed<stack::tcp::CongestionAlgorithm> parse_congestion(std::string_view text) {
  using P = Parsed<stack::tcp::CongestionAlgorithm>;
  if (text == "cubic") return stack::tcp::CongestionAlgorithm::Cubic;
  if (text == "newreno") return stack::tcp::CongestionAlgorithm::NewReno;
  return P::error(quoted(text) + " is neither cubic nor newreno");
}

Parsed<OnHang> parse_on_hang(std::string_view text) {
  if (text == "report") return OnHang::Report;
  if (text == "stop") return OnHang::Stop;
  return Parsed<OnHang>::error("'" + std::string(text) + "' is neither report nor stop");
}

Parsed<std::size_t> parse_size(std::string_view text) {
  constexpr std::string_view kUnits = "kMG";
  unsigned shift = 0;
  std::string_view digits = text;
  if (const auto unit = text.empty() ? std::string_view::npos : kUnits.find(text.back());
      unit != std::string_view::npos) {
    shift = 10 * (static_cast<unsigned>(unit) + 1);
    digits.remove_suffix(1);
  }
  const auto number = parse_number(digits);
  if (!number || *number > (std::uint64_t{1} << 40) >> shift)
    return Parsed<std::size_t>::error(quoted(text) + " is no number of bytes, such as 64M or 1G");
  return static_cast<std::size_t>(*number << shift);
}

Parsed<bool> parse_on_off(std::string_view text) {
  if (text == "on") return true;
  if (text == "off") return false;
  return Parsed<bool>::error(quoted(text) + " is neither on nor off");
}

}  // namespace app
