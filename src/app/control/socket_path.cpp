#include "src/app/control/socket_path.hpp"

#include <unistd.h>

#include <cstdlib>

namespace app::control {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

std::string default_socket_path() {
  if (geteuid() == 0) return "/run/wfptap.sock";
  if (const auto folder = variable("XDG_RUNTIME_DIR"); !folder.empty()) return folder + "/wfptap.sock";
  return "/tmp/wfptap-" + std::to_string(geteuid()) + ".sock";
}

std::string client_socket_path(const std::string& given) {
  if (!given.empty()) return given;
  if (const auto path = variable("WFPTAP_CONTROL"); !path.empty()) return path;
  return default_socket_path();
}

std::string daemon_socket_path(const std::string& given) { return given.empty() ? default_socket_path() : given; }

}  // namespace app::control
