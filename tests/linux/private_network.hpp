// Runs a test's body in a child process with a network namespace of its own: nothing that it makes there outlives it.
// Needs root (or CAP_SYS_ADMIN); otherwise the test is skipped and says so. The child is ended when it takes too
// long.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

namespace test {

inline constexpr int kPrivateNetworkTimeoutMs = 30'000;

enum ChildExit : int { kPassed = 0, kFailed = 1, kNoNamespace = 77 };

template <class Body>
[[noreturn]] void run_child(Body& body) {
  if (::unshare(CLONE_NEWNET) != 0) ::_exit(kNoNamespace);
  body();
  bool failed = testing::Test::HasFailure();
#if defined(__SANITIZE_ADDRESS__)
  failed = failed || __lsan_do_recoverable_leak_check() != 0;
#endif
  std::fflush(nullptr);
  ::_exit(failed ? kFailed : kPassed);
}

// True: ended by itself. The child is waited for without a signal handler, by its pidfd.
inline bool wait_for_child(pid_t child, int timeout_ms) {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  if (fd < 0) return true;  // then waitpid() alone must do
  pollfd ended{.fd = fd, .events = POLLIN, .revents = 0};
  int count = 0;
  do {
    count = ::poll(&ended, 1, timeout_ms);
  } while (count < 0 && errno == EINTR);
  ::close(fd);
  if (count == 0) ::kill(child, SIGKILL);
  return count != 0;
}

template <class Body>
void in_private_network(Body body) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) run_child(body);
  const bool in_time = wait_for_child(child, kPrivateNetworkTimeoutMs);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(in_time) << "took too long";
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNoNamespace)
    GTEST_SKIP() << "a network namespace of one's own needs root";
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == kPassed) << "see the failures above; status " << status;
}

}  // namespace test
