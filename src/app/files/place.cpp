#include "src/app/files/place.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>

namespace app::files {
namespace {

constexpr int kMaxLinks = 40;  // as the kernel's

bool is_on_proc(int fd) {
  struct statfs facts {};
  return fstatfs(fd, &facts) == 0 && facts.f_type == PROC_SUPER_MAGIC;
}

bool is_ours_or_roots(uid_t owner) { return owner == 0 || owner == geteuid(); }

// Walks along a path; one object a path.
class Walk {
 public:
  explicit Walk(std::string path) : path_(std::move(path)) {}
  Parsed<Place> run(LastLink last);

 private:
  using P = Parsed<Place>;
  bool enter(const std::string& path);  // a path, or what a link says
  bool step(bool is_last, LastLink last);
  bool follow(int link, const struct stat& facts);
  bool is_trusted(const struct stat& link);
  bool fail(int reason) { return why_ = path_ + ": " + std::strerror(reason), false; }
  P finish();

  const std::string path_;
  std::string why_;
  tap::FileDescriptor at_;
  std::deque<std::string> left_;
  int links_ = 0;
  bool arrived_ = false;
  bool is_magic_ = false;
  std::optional<uid_t> lender_;  // whose link was followed on condition that the folder is the same user's
};

bool Walk::enter(const std::string& path) {
  if (path.empty()) return fail(ENOENT);
  if (path.front() == '/') at_.reset(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (at_.get() < 0) at_.reset(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (at_.get() < 0) return fail(errno);
  std::deque<std::string> parts;
  for (std::size_t begin = 0; begin < path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    if (end > begin) parts.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  if (path.back() == '/') parts.emplace_back(".");
  left_.insert(left_.begin(), parts.begin(), parts.end());
  return true;
}

// The kernel's protected_symlinks, and more for who has power over others.
bool Walk::is_trusted(const struct stat& link) {
  struct stat folder {};
  if (fstat(at_.get(), &folder) != 0) return fail(errno);
  const bool in_shared_folder = (folder.st_mode & S_ISVTX) != 0 && (folder.st_mode & S_IWOTH) != 0;
  const auto owner = link.st_uid;
  bool trusted = owner == geteuid() || !in_shared_folder || owner == folder.st_uid;
  if (trusted && has_power_over_others() && !is_ours_or_roots(owner)) {
    trusted = !lender_ || *lender_ == owner;
    lender_ = owner;
  }
  if (!trusted)
    why_ = path_ + ": leads through a symbolic link of another user (" + std::to_string(owner) +
           "), which is not followed; name the file without it";
  return trusted;
}

bool Walk::follow(int link, const struct stat& facts) {
  if (++links_ > kMaxLinks) return fail(ELOOP);
  if (!is_trusted(facts)) return false;
  std::array<char, PATH_MAX> text;
  const auto size = readlinkat(link, "", text.data(), text.size());
  if (size <= 0) return fail(size < 0 ? errno : ENOENT);
  return enter(std::string(text.data(), static_cast<std::size_t>(size)));
}

bool Walk::step(bool is_last, LastLink last) {
  const auto name = left_.front();
  tap::FileDescriptor next{openat(at_.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
  if (next.get() < 0) return is_last && errno == ENOENT ? (arrived_ = true) : fail(errno);
  struct stat facts {};
  if (fstat(next.get(), &facts) != 0) return fail(errno);
  const bool is_magic = S_ISLNK(facts.st_mode) && is_on_proc(at_.get());  // its text is no path
  if (is_last && (!S_ISLNK(facts.st_mode) || is_magic || last == LastLink::Keep)) {
    is_magic_ = is_magic;
    return arrived_ = true;
  }
  left_.pop_front();
  if (is_magic) {
    if (!is_trusted(facts)) return false;
    next.reset(openat(at_.get(), name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (next.get() < 0) return fail(errno);
  } else if (S_ISLNK(facts.st_mode)) {
    return follow(next.get(), facts);
  } else if (!S_ISDIR(facts.st_mode)) {
    return fail(ENOTDIR);
  }
  at_ = std::move(next);
  return true;
}

Parsed<Place> Walk::run(LastLink last) {
  bool goes_on = enter(path_);
  while (goes_on && !arrived_) {
    if (left_.empty()) goes_on = fail(EISDIR);
    if (goes_on) goes_on = step(left_.size() == 1, last);
  }
  return goes_on ? finish() : P::error(why_);
}

Parsed<Place> Walk::finish() {
  struct stat facts {};
  if (fstat(at_.get(), &facts) != 0) return P::error(path_ + ": " + std::strerror(errno));
  if (left_.front() == "." || left_.front() == "..") return P::error(path_ + ": " + std::strerror(EISDIR));
  if (lender_ && facts.st_uid != *lender_)
    return P::error(path_ + ": leads through a symbolic link of user " + std::to_string(*lender_) +
                    " to a folder that is not theirs; name the file without it");
  Place place;
  place.folder = std::move(at_);
  place.name = left_.front();
  place.is_followed = is_magic_;
  place.folder_owner = facts.st_uid;
  place.is_ours = is_ours_or_roots(facts.st_uid) && (facts.st_mode & (S_IWGRP | S_IWOTH)) == 0;
  place.is_sticky = (facts.st_mode & S_ISVTX) != 0 && (facts.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  return place;
}

}  // namespace

bool has_power_over_others() {
  if (geteuid() != 0) return false;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> map{std::fopen("/proc/self/uid_map", "re"), std::fclose};
  unsigned long inside = 0, outside = 0, count = 0;
  if (map == nullptr || std::fscanf(map.get(), "%lu %lu %lu", &inside, &outside, &count) != 3) return true;
  return count > 1 || std::fscanf(map.get(), "%lu", &inside) == 1;  // or a second line
}

Parsed<Place> find_place(const std::string& path, LastLink last) { return Walk{path}.run(last); }

}  // namespace app::files
