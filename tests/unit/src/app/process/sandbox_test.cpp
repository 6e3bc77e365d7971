// What a process may do behind the sandbox, each time in a child of the test.
#include "src/app/process/sandbox.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <thread>

#include "src/app/process/privileges.hpp"
#include "src/app/process/sanitizer.hpp"

namespace app {
namespace {

constexpr int kRight = 0, kWrong = 1;

class Sandbox : public testing::Test {
 protected:
  void SetUp() override {
    if (has_sanitizer() || is_traced()) GTEST_SKIP() << "there is no sandbox here";
  }
  // Runs `body` behind the sandbox in a child; what waitpid says of it.
  static int run(const std::function<bool()>& body) {
    const pid_t child = fork();
    if (child == 0) {
      if (!give_up_privileges(std::nullopt).empty()) _exit(kWrong);
      enter_sandbox();
      _exit(body() ? kRight : kWrong);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return status;
  }
  static bool is_stopped(const std::function<void()>& body) {
    const int status = run([&] { return body(), true; });
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
  }
};

TEST_F(Sandbox, LeavesWhatAStackAndItsDriversNeed) {
  EXPECT_EQ(run([] {
              std::ofstream("/dev/null") << "text";
              const bool maps =
                  mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
              const bool loads = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL) != nullptr;
              int ran = 0;
              std::thread([&] { ran = 1; }).join();
              const int local = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
              return maps && loads && ran == 1 && local >= 0 && kill(getpid(), 0) == 0;
            }),
            kRight);
}

TEST_F(Sandbox, StopsWhatNobodyNeeds) {
  EXPECT_TRUE(is_stopped([] { execl("/bin/true", "true", nullptr); }));
  EXPECT_TRUE(is_stopped([] { fork(); }));
  EXPECT_TRUE(is_stopped([] { ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }));
  EXPECT_TRUE(is_stopped([] { socket(AF_INET, SOCK_STREAM, 0); }));
  EXPECT_TRUE(is_stopped([] { socket(AF_NETLINK, SOCK_RAW, 0); }));
  EXPECT_TRUE(is_stopped([] { kill(getppid(), 0); }));
  EXPECT_TRUE(is_stopped([] { syscall(SYS_unshare, 0); }));
  EXPECT_TRUE(is_stopped([] { std::thread([] { syscall(SYS_unshare, 0); }).join(); })) << "threads inherit it";
}

}  // namespace
}  // namespace app
