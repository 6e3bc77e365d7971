#include "src/app/process/sandbox.hpp"

#include <linux/if_tun.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>

#include "src/app/process/allowed_calls.hpp"
#include "src/app/process/sanitizer.hpp"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41  // names of anonymous memory; Linux 5.17
#endif

namespace app {
namespace {

using Filter = std::unique_ptr<void, void (*)(scmp_filter_ctx)>;

// Requests to the device and questions about descriptors. Not among them: TIOCSTI, which types into the terminal.
constexpr std::array<std::uint64_t, 9> kAllowedIoctls{
    FIONREAD, FIONBIO, TCGETS, TIOCGWINSZ, TUNGETIFF, TUNGETFEATURES, TUNSETOFFLOAD, TUNSETVNETHDRSZ, TUNSETQUEUE};
constexpr std::array<std::uint64_t, 5> kAllowedPrctls{PR_SET_NAME, PR_GET_NAME, PR_SET_DUMPABLE, PR_CAPBSET_READ,
                                                      PR_SET_VMA};
constexpr std::uint64_t kInt = 0xffff'ffff;  // the part of an argument that is an int

// Argument number `argument` has `value` under `mask`. The library's macros for this are compound literals, which C++ lacks.
scmp_arg_cmp argument_is(unsigned argument, std::uint64_t mask, std::uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

class Rules {
 public:
  explicit Rules(scmp_filter_ctx filter) : filter_(filter) {}

  template <typename... Conditions>
  void allow(const char* name, Conditions... conditions) {
    add(SCMP_ACT_ALLOW, name, conditions...);
  }
  template <typename... Conditions>
  void add(std::uint32_t action, const char* name, Conditions... conditions) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || number < 0 || error_ != 0) return;
    const std::array<scmp_arg_cmp, sizeof...(conditions)> all{conditions...};
    error_ = -seccomp_rule_add_array(filter_, action, number, static_cast<unsigned>(all.size()), all.data());
  }
  int error() const { return error_; }

 private:
  scmp_filter_ctx filter_;
  int error_ = 0;
};

void add_rules(Rules& rules) {
  for (const char* name : kAllowedCalls) rules.allow(name);
  rules.allow("socket", argument_is(0, kInt, AF_UNIX));
  for (const auto request : kAllowedIoctls) rules.allow("ioctl", argument_is(1, kInt, request));
  for (const auto what : kAllowedPrctls) rules.allow("prctl", argument_is(0, kInt, what));
  // Threads, but no processes. What clone3 asks for lies in memory, where no filter can look: without it the C library
  // takes clone.
  rules.allow("clone", argument_is(0, CLONE_THREAD, CLONE_THREAD));
  rules.add(SCMP_ACT_ERRNO(ENOSYS), "clone3");
  // Signals to itself: raise(), abort(), and who looks at a thread that hangs.
  const auto self = static_cast<std::uint64_t>(getpid());
  for (const char* name : {"tgkill", "kill", "rt_tgsigqueueinfo", "rt_sigqueueinfo"})
    rules.allow(name, argument_is(0, kInt, self));
}

}  // namespace

bool is_traced() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "TracerPid:") return status >> word && word != "0";
  return false;
}

namespace {

int filter_calls() {
  const Filter filter{seccomp_init(SCMP_ACT_TRAP), seccomp_release};
  if (!filter) return ENOMEM;
  seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_TRAP);
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE,
                   2);  // a tree; without it the older library goes through all
  Rules rules{filter.get()};
  add_rules(rules);
  return rules.error() != 0 ? rules.error() : -seccomp_load(filter.get());
}

}  // namespace

void enter_sandbox() {
  if (has_sanitizer() || is_traced()) return;
  // The fault report makes it dumpable again, so that there is a core where one is wanted.
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (const int error = filter_calls(); error != 0)
    std::fprintf(stderr, "wfptap: warning: system calls are not filtered: %s\n", std::strerror(error));
}

}  // namespace app
