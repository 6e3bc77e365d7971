// The address of a Unix socket, and connecting to one without waiting for who does not accept. For both ends.
#pragma once

#include <sys/un.h>

#include <optional>
#include <string>

#include "tap/file_descriptor.hpp"

namespace app::control {

std::optional<sockaddr_un> socket_address(const std::string& path);  // nothing: the path is too long
std::string too_long(const std::string& path);                       // the sentence for that

// A connected socket, which does not block; or none and why in `reason`. EAGAIN: somebody listens, and so many wait
// to be accepted that there is no room.
tap::FileDescriptor try_connect(const sockaddr_un& address, int& reason);

}  // namespace app::control
