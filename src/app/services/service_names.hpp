// The services that there are: their names on the command line and their well-known ports.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace app::services {

struct ServiceName {
  std::string_view name;
  std::uint16_t port;
  std::string_view source;
};

inline constexpr std::array kServiceNames{
    ServiceName{"echo", 7, "RFC 862"},     ServiceName{"discard", 9, "RFC 863"},
    ServiceName{"chargen", 19, "RFC 864"}, ServiceName{"daytime", 13, "RFC 867"},
    ServiceName{"http", 80, "RFC 9112"},
};

constexpr std::optional<std::uint16_t> well_known_port(std::string_view name) {
  for (const auto& service : kServiceNames)
    if (service.name == name) return service.port;
  return std::nullopt;
}

inline std::string all_names() {
  std::string names;
  for (const auto& service : kServiceNames) names += (names.empty() ? "" : ", ") + std::string(service.name);
  return names;
}

}  // namespace app::services
