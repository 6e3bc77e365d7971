#include "src/app/supervisor/process_tree.hpp"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>

namespace app {
namespace {

using namespace std::chrono_literals;

constexpr auto kGrace = 500ms;   // between asking and ending
constexpr auto kEnding = 500ms;  // for the kernel to do it
constexpr auto kPause = 10ms;

// The parent of a process, from /proc/PID/stat: "PID (name) state parent ...". The name may contain anything.
pid_t parent_of(pid_t process) {
  const auto path = "/proc/" + std::to_string(process) + "/stat";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(path.c_str(), "re"), std::fclose};
  if (!file) return 0;
  char text[512];
  const auto size = std::fread(text, 1, sizeof text - 1, file.get());
  const std::string line{text, size};
  const auto name_end = line.rfind(')');
  int parent = 0;
  char state = 0;
  if (name_end == std::string::npos || std::sscanf(line.c_str() + name_end + 1, " %c %d", &state, &parent) != 2)
    return 0;
  return parent;
}

std::unordered_multimap<pid_t, pid_t> children_by_parent() {
  std::unordered_multimap<pid_t, pid_t> children;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder{opendir("/proc"), closedir};
  if (!folder) return children;
  while (const dirent* entry = readdir(folder.get())) {
    const auto process = static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10));
    if (process > 0) children.emplace(parent_of(process), process);
  }
  return children;
}

// Until none is left or the time is over. True: none is left.
bool reap_until_gone(pid_t except, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto left = descendants(except);
    for (const auto process : left) waitpid(process, nullptr, WNOHANG);  // ours alone; others fail harmlessly
    if (left.empty()) return true;
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

std::vector<pid_t> descendants(pid_t except) {
  const auto children = children_by_parent();
  std::vector<pid_t> found{getpid()};
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto [first, last] = children.equal_range(found[i]);
    for (auto at = first; at != last; ++at)
      if (at->second != except) found.push_back(at->second);
  }
  found.erase(found.begin());
  return found;
}

void signal_descendants(pid_t except, int signal) {
  for (const auto process : descendants(except)) kill(process, signal);
}

void end_descendants(pid_t except) {
  if (descendants(except).empty()) return;
  signal_descendants(except, SIGTERM);
  signal_descendants(except, SIGCONT);
  if (reap_until_gone(except, kGrace)) return;
  const auto end = std::chrono::steady_clock::now() + kEnding;
  do {  // again and again: one may fork while we look
    signal_descendants(except, SIGKILL);
  } while (!reap_until_gone(except, kPause) && std::chrono::steady_clock::now() < end);
}

}  // namespace app
