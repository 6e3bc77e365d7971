#include "src/app/control/socket_file.hpp"

#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "src/app/control/socket_address.hpp"

namespace app::control {
namespace {

constexpr unsigned long kUnixFile =
    SIOCPROTOPRIVATE + 0;  // SIOCUNIXFILE of the header linux/un.h, which cannot stand beside that of the C library
constexpr int kBacklog = 128;  // more clients than are served: those too many are told so

}  // namespace

std::unique_ptr<SocketFile> SocketFile::make(const std::string& path, std::string& error) {
  if (!socket_address(path)) return error = too_long(path), nullptr;
  auto place = files::find_place(path, files::LastLink::Keep);
  if (!place) return error = "control socket " + place.why(), nullptr;
  std::unique_ptr<SocketFile> file{new SocketFile(path, std::move(*place))};
  const auto why = file->bind_and_listen();
  if (why.empty()) return file;
  error = "control socket " + path + ": " + why;
  return nullptr;
}

std::string SocketFile::bind_and_listen() {
  listener_.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  bool bound = listener_ && bind_private();
  if (!bound && errno == EADDRINUSE) {
    if (auto why = why_taken(); !why.empty()) return why;
    bound = bind_private();
  }
  if (!bound || listen(listener_.get(), kBacklog) != 0) return std::strerror(errno);
  return remember_file() ? "" : "its folder is being changed by somebody else; choose another one with --control";
}

bool SocketFile::bind_private() {
  const auto address = socket_address(path_);
  const auto before = umask(0177);  // born with mode 0600
  const int result = bind(listener_.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
  const int reason = errno;
  umask(before);
  errno = reason;
  return result == 0;
}

// A socket file whose daemon is gone refuses connections; only such a one is removed.
std::string SocketFile::why_taken() {
  struct stat facts {};
  if (fstatat(place_.folder.get(), place_.name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) return {};
  if (!S_ISSOCK(facts.st_mode))
    return "something else is there, and is not replaced; remove it, or choose another path with --control";
  int reason = 0;
  const auto probe = try_connect(*socket_address(path_), reason);
  if (reason != ECONNREFUSED) return "another daemon uses it; choose another one with --control";
  const bool removed = unlinkat(place_.folder.get(), place_.name.c_str(), 0) == 0;
  return removed ? ""
                 : std::string("nobody listens there any more, and it cannot be removed: ") + std::strerror(errno);
}

bool SocketFile::remember_file() {
  struct stat facts {};
  if (fstatat(place_.folder.get(), place_.name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) return false;
  device_ = facts.st_dev;
  inode_ = facts.st_ino;
  return S_ISSOCK(facts.st_mode) && facts.st_uid == geteuid();
}

// The path may name something else by now: the kernel is asked for the file that this socket is bound to.
std::string SocketFile::give_to(uid_t owner) {
  if (owner == geteuid()) return {};
  const tap::FileDescriptor bound{ioctl(listener_.get(), kUnixFile)};
  if (bound && fchownat(bound.get(), "", owner, static_cast<gid_t>(-1), AT_EMPTY_PATH) == 0) return {};
  return "control socket " + path_ + ": cannot be given to the user of --user: " + std::strerror(errno);
}

SocketFile::~SocketFile() {
  struct stat facts {};
  const bool is_there = fstatat(place_.folder.get(), place_.name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0;
  if (inode_ == 0 || !is_there || facts.st_dev != device_ || facts.st_ino != inode_) return;
  unlinkat(place_.folder.get(), place_.name.c_str(), 0);
}

}  // namespace app::control
