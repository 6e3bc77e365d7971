#include "src/app/control/socket_address.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace app::control {

std::optional<sockaddr_un> socket_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return std::nullopt;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

std::string too_long(const std::string& path) {
  return "control socket " + path + ": the path is too long; choose one of at most " +
         std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " bytes with --control";
}

tap::FileDescriptor try_connect(const sockaddr_un& address, int& reason) {
  tap::FileDescriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  reason = 0;
  if (socket && connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return socket;
  reason = errno;
  return {};
}

}  // namespace app::control
