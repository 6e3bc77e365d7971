#include "src/app/places/place_link.hpp"

#include <sys/socket.h>

namespace app {

bool make_place_pair(tap::FileDescriptor& answering, tap::FileDescriptor& asking) {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) return false;
  answering.reset(fds[0]);
  asking.reset(fds[1]);
  return true;
}

}  // namespace app
