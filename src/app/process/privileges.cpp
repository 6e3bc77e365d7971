#include "src/app/process/privileges.hpp"

#include <cap-ng.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace app {

std::optional<User> find_user(const std::string& name) {
  const passwd* entry = getpwnam(name.c_str());
  if (entry == nullptr) return std::nullopt;
  return User{entry->pw_uid, entry->pw_gid, name};
}

std::string give_up_privileges(const std::optional<User>& user) {
  const auto failed = [](const std::string& what) { return "cannot " + what + ": " + std::strerror(errno); };
  if (user && geteuid() == 0) {
    if (initgroups(user->name.c_str(), user->group) != 0 || setresgid(user->group, user->group, user->group) != 0 ||
        setresuid(user->id, user->id, user->id) != 0)
      return failed("become user " + user->name);
  } else if (user && geteuid() != user->id) {
    return "--user " + user->name + ": only root can become another user";
  }
  // The bounding set needs a capability to be emptied, which a changed user has lost already; no_new_privs makes up
  // for it.
  capng_clear(CAPNG_SELECT_BOTH);
  if (capng_apply(CAPNG_SELECT_BOTH) != 0) {
    capng_clear(CAPNG_SELECT_CAPS);
    if (capng_apply(CAPNG_SELECT_CAPS) != 0) return failed("give up capabilities");
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("set no_new_privs");
  prctl(PR_SET_DUMPABLE, 1);  // a core of a faulting driver is wanted; changing the user had switched it off
  return {};
}

}  // namespace app
