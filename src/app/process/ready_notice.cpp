#include "src/app/process/ready_notice.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "tap/file_descriptor.hpp"

namespace app {
namespace {

// sd_notify(3): one datagram; a leading '@' is an abstract address.
void notify(std::string_view message) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto size = std::strlen(path);
  if (size >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path, size);
  if (path[0] == '@') address.sun_path[0] = '\0';
  const tap::FileDescriptor socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
  sendto(socket.get(), message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
         length);
}

}  // namespace

void notify_ready(int ready_fd) {
  notify("READY=1\n");
  if (ready_fd < 0) return;
  [[maybe_unused]] const auto written = write(ready_fd, "ready\n", 6);
  close(ready_fd);
}

void notify_stopping() { notify("STOPPING=1\n"); }

}  // namespace app
