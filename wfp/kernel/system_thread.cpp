#include "wfp/kernel/system_thread.hpp"

#include <csetjmp>

namespace wfp::kernel {
namespace {

struct Exit {
  std::jmp_buf place;
  volatile NTSTATUS status = STATUS_SUCCESS;
};
thread_local Exit* current_exit = nullptr;

}  // namespace

NTSTATUS run_until_terminated(const std::function<void()>& body) {
  Exit exit;
  current_exit = &exit;
  if (setjmp(exit.place) == 0) body();
  current_exit = nullptr;
  return exit.status;
}

bool terminate_current_thread(NTSTATUS status) {
  Exit* exit = current_exit;
  if (exit == nullptr) return false;
  exit->status = status;
  std::longjmp(exit->place, 1);
}

}  // namespace wfp::kernel
