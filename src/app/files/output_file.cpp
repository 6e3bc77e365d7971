#include "src/app/files/output_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace app::files {
namespace {

using P = Parsed<tap::FileDescriptor>;

constexpr int kAttempts = 3;  // a file may come and go between two looks

P failed(const std::string& path, int reason) { return P::error(path + ": " + std::strerror(reason)); }

bool may_be_written(const Place& place, const struct stat& file) {
  if (place.is_ours || place.is_followed) return true;
  if (!place.is_sticky && !has_power_over_others()) return true;
  const bool has_one_name = !S_ISREG(file.st_mode) || file.st_nlink == 1;
  return has_one_name && (file.st_uid == geteuid() || file.st_uid == place.folder_owner);
}

P take_existing(const std::string& path, const Place& place, tap::FileDescriptor file) {
  struct stat facts {};
  if (fstat(file.get(), &facts) != 0) return failed(path, errno);
  if (!may_be_written(place, facts))
    return P::error(path + ": belongs to another user (" + std::to_string(facts.st_uid) +
                    "), or has a second name, in a folder that others can write; remove it or name another file");
  if (S_ISREG(facts.st_mode) && ftruncate(file.get(), 0) != 0) return failed(path, errno);
  return file;
}

}  // namespace

Parsed<tap::FileDescriptor> open_output_file(const std::string& path, mode_t mode) {
  if (path == "-") {
    tap::FileDescriptor copy{fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)};
    return copy ? P{std::move(copy)} : failed("standard output", errno);
  }
  auto place = find_place(path, LastLink::Follow);
  if (!place) return P::error(place.why());
  const int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY | (place->is_followed ? 0 : O_NOFOLLOW);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto name = place->name.c_str();
    tap::FileDescriptor made{openat(place->folder.get(), name, flags | O_CREAT | O_EXCL, mode)};
    if (made) return made;
    if (errno != EEXIST) return failed(path, errno);
    tap::FileDescriptor found{openat(place->folder.get(), name, flags)};
    if (found) return take_existing(path, *place, std::move(found));
    if (errno != ENOENT) return failed(path, errno);
  }
  return failed(path, EBUSY);
}

Parsed<std::FILE*> open_output_stream(const std::string& path, mode_t mode) {
  using S = Parsed<std::FILE*>;
  auto file = open_output_file(path, mode);
  if (!file) return S::error(file.why());
  const int copy = fcntl(file->get(), F_DUPFD_CLOEXEC, 3);
  std::FILE* stream = copy < 0 ? nullptr : fdopen(copy, "wb");
  if (stream != nullptr) return stream;
  const int reason = errno;
  if (copy >= 0) close(copy);
  return S::error(path + ": " + std::strerror(reason));
}

}  // namespace app::files
