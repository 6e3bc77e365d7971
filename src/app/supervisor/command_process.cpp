#include "src/app/supervisor/command_process.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "tap/file_descriptor.hpp"

namespace app {
namespace {

[[noreturn]] void become(const CommandStart& start, int error_pipe) {
  for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD}) ::signal(signal, SIG_DFL);
  sigprocmask(SIG_SETMASK, &start.mask, nullptr);
  for (const auto& [name, value] : start.environment)
    if (!value.empty()) setenv(name.c_str(), value.c_str(), 1);
  if (start.without_input) {
    const int null = open("/dev/null", O_RDONLY);
    if (null > STDIN_FILENO) dup2(null, STDIN_FILENO);
  }
  std::vector<char*> words;
  for (const auto& word : start.words) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  execvp(words[0], words.data());
  const int reason = errno;
  [[maybe_unused]] const auto written = write(error_pipe, &reason, sizeof reason);
  _exit(127);
}

}  // namespace

pid_t start_command_process(const CommandStart& start, std::string& error) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return error = std::strerror(errno), -1;
  const tap::FileDescriptor reading{ends[0]};
  tap::FileDescriptor writing{ends[1]};
  const pid_t child = fork();
  if (child < 0) return error = std::string("cannot start COMMAND: ") + std::strerror(errno), -1;
  if (child == 0) become(start, writing.get());
  writing.reset();
  int reason = 0;
  ssize_t got = 0;
  do {  // exec closes the pipe; a failure comes through it
    got = read(reading.get(), &reason, sizeof reason);
  } while (got < 0 && errno == EINTR);
  if (got != sizeof reason) return child;
  waitpid(child, nullptr, 0);
  error = "cannot run " + start.words.front() + ": " + std::strerror(reason);
  return -1;
}

}  // namespace app
