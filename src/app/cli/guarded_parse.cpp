#include "src/app/cli/guarded_parse.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <nlohmann/json.hpp>

#include "tap/file_descriptor.hpp"

namespace app {
namespace {

using P = Parsed<std::vector<ConfigEntry>>;
using Json = nlohmann::json;

constexpr rlim_t kSeconds = 5;                               // of CPU time, for at most kMaxConfigFileBytes
constexpr std::size_t kMaxAnswer = 8 * kMaxConfigFileBytes;  // escapes make a text longer

std::string answer_of(P& parsed) {
  Json answer = Json::object();
  if (!parsed) answer["error"] = parsed.why();
  if (parsed)
    for (const auto& entry : *parsed) answer["entries"].push_back({entry.option, entry.value});
  return answer.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Its complaint about itself would stand beside the sentence that the parent prints, so it has no standard error.
[[noreturn]] void be_child(int answer, std::string_view text, const std::string& path, const ConfigParser& parse) {
  const rlimit none{0, 0}, seconds{kSeconds, kSeconds};
  setrlimit(RLIMIT_CORE, &none);
  setrlimit(RLIMIT_CPU, &seconds);
  if (const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC); nowhere >= 0) dup2(nowhere, STDERR_FILENO);
  try {
    auto parsed = parse(text, path);
    write_all(answer, answer_of(parsed));
  } catch (const std::bad_alloc&) {
    write_all(answer, R"({"error":"not enough memory to read the configuration file"})");
  }
  _exit(0);
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 16 * 1024> piece;
  while (text.size() <= kMaxAnswer) {
    const auto got = read(fd, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  return text;
}

P parsed_from(const std::string& text, const std::string& path, int status) {
  const auto answer = Json::parse(text, nullptr, false);
  if (WIFSIGNALED(status) || !answer.is_object())
    return P::error(path + ": the TOML parser gives up on it" +
                    (WIFSIGNALED(status) ? std::string(" (") + strsignal(WTERMSIG(status)) + ")" : "") +
                    "; look for a bracket, a brace or a quote that is not closed");
  if (answer.contains("error")) return P::error(answer["error"].get<std::string>());
  std::vector<ConfigEntry> entries;
  for (const auto& entry : answer.value("entries", Json::array()))
    entries.push_back({entry.at(0).get<std::string>(), entry.at(1).get<std::string>()});
  return entries;
}

}  // namespace

Parsed<std::vector<ConfigEntry>> parse_guarded(std::string_view text, const std::string& path,
                                               const ConfigParser& parse) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return P::error("--config " + path + ": " + std::strerror(errno));
  tap::FileDescriptor from_child{ends[0]}, to_parent{ends[1]};
  const pid_t child = fork();
  if (child < 0) return P::error("--config " + path + ": no process to read it with: " + std::strerror(errno));
  if (child == 0) be_child(to_parent.get(), text, path, parse);
  to_parent.reset();
  const auto answer = read_all(from_child.get());
  from_child.reset();
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return parsed_from(answer, path, status);
}

}  // namespace app
