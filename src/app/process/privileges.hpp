// Giving up privileges once the device is set up: no capabilities, no new ones by exec, and another user when one is
// asked for. Capabilities belong to threads, so call while the process has one.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace app {

struct User {
  uid_t id = 0;
  gid_t group = 0;
  std::string name;
};
// Empty when there is no such user.
std::optional<User> find_user(const std::string& name);

// Becomes `user` when given. Empty, or a sentence on what failed.
std::string give_up_privileges(const std::optional<User>& user);

}  // namespace app
