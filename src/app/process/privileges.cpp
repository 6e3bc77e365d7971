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

namespace {

// First of all: it takes a capability that a changed user has lost. Who never had it, as with CAP_NET_ADMIN alone, keeps
// the set; no_new_privs makes up for it.
void empty_bounding_set() {
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability)
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) return;
}

}  // namespace

std::string give_up_privileges(const std::optional<User>& user) {
  const auto failed = [](const std::string& what) { return "cannot " + what + ": " + std::strerror(errno); };
  empty_bounding_set();
  if (user && geteuid() == 0) {
    if (initgroups(user->name.c_str(), user->group) != 0 || setresgid(user->group, user->group, user->group) != 0 ||
        setresuid(user->id, user->id, user->id) != 0)
      return failed("become user " + user->name);
  } else if (user && geteuid() != user->id) {
    return "--user " + user->name + ": only root can become another user";
  }
  capng_clear(CAPNG_SELECT_CAPS);
  if (capng_apply(CAPNG_SELECT_CAPS) != 0) return failed("give up capabilities");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("set no_new_privs");
  prctl(PR_SET_DUMPABLE, 1);  // changing the user had switched it off, also where there is no sandbox
  return {};
}

}  // namespace app
