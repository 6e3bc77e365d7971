#include "src/app/process/refused_call.hpp"

#include <seccomp.h>

namespace app {
namespace {

constexpr unsigned kThreadException = 0x7e;            // SYSTEM_THREAD_EXCEPTION_NOT_HANDLED
constexpr unsigned long kPrivileged = 0xc0000096;      // STATUS_PRIVILEGED_INSTRUCTION
constexpr const char* kUnknownCall = "a system call";  // that this machine's library has no name for

}  // namespace

// The name takes memory; the filter lets memory calls pass, so the heap is not what this call was made from.
void add_refused_call(FixedText& text, const siginfo_t& info) {
  add_stop(text, kThreadException, "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED", kPrivileged,
           reinterpret_cast<unsigned long>(info.si_call_addr), static_cast<unsigned long>(info.si_syscall));
  const char* const name = seccomp_syscall_resolve_num_arch(info.si_arch, info.si_syscall);
  text.add(
      "*** %s (%d) was stopped: the sandbox leaves what packets and loading drivers take; a driver asks the kernel's "
      "routines, "
      "not Linux. --sandbox off lets it through\n",
      name != nullptr ? name : kUnknownCall, info.si_syscall);
}

}  // namespace app
