#include "src/app/supervisor/private_network.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tap/file_descriptor.hpp"
#include "tap/netlink.hpp"

namespace app {
namespace {

bool write_file(const char* path, const std::string& text) {
  const tap::FileDescriptor file{open(path, O_WRONLY | O_CLOEXEC)};
  return file.get() >= 0 && write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// The user becomes root of the new namespaces; one id is all that an unprivileged user may map.
bool map_own_ids(uid_t user, gid_t group) {
  write_file("/proc/self/setgroups", "deny");  // absent on old kernels, where it is not needed
  return write_file("/proc/self/uid_map", "0 " + std::to_string(user) + " 1\n") &&
         write_file("/proc/self/gid_map", "0 " + std::to_string(group) + " 1\n");
}

std::string advice(int reason) {
  std::string sentence = "cannot make a private network namespace: " + std::string(std::strerror(reason)) + "; ";
  if (reason == EPERM || reason == EACCES)
    return sentence +
           "run as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, "
           "user.max_user_namespaces above 0; in a container: --cap-add SYS_ADMIN)";
  if (reason == ENOSPC) return sentence + "raise user.max_user_namespaces or user.max_net_namespaces";
  return sentence + "the kernel may lack CONFIG_NET_NS or CONFIG_USER_NS";
}

// /sys shows the network namespace in which it was mounted. Programs that read /sys/class/net want the new one; where
// it cannot be mounted (some containers), they see the old one and everything else works.
void mount_own_sysfs() {
  if (unshare(CLONE_NEWNS) != 0) return;
  // In a chroot the root is no mount point; then /sys alone must not propagate.
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 &&
      mount("none", "/sys", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return;
  const tap::FileDescriptor cgroups{open("/sys/fs/cgroup", O_PATH | O_CLOEXEC | O_DIRECTORY)};
  if (mount("wfptap", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) return;
  if (cgroups.get() < 0) return;
  const auto before = "/proc/self/fd/" + std::to_string(cgroups.get());
  [[maybe_unused]] const int bound = mount(before.c_str(), "/sys/fs/cgroup", nullptr, MS_BIND | MS_REC, nullptr);
}

}  // namespace

std::string enter_private_network() {
  const auto user = geteuid();
  const auto group = getegid();
  const bool as_root = user == 0 && unshare(CLONE_NEWNET) == 0;
  if (!as_root) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return advice(errno);
    if (!map_own_ids(user, group)) return advice(errno);
  }
  mount_own_sysfs();
  auto netlink = tap::Netlink::open();
  if (!netlink) return netlink.error().what;
  if (auto error = netlink->set_loopback_up()) return error.what;
  return {};
}

}  // namespace app
