#include "src/app/process/fault.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <typeinfo>
#include <vector>

#include "src/app/process/fault_stack.hpp"
#include "src/app/process/fault_text.hpp"
#include "src/app/process/last_report.hpp"
#include "src/app/process/refused_call.hpp"
#include "src/app/process/sanitizer.hpp"
#include "src/app/process/thread_picture.hpp"
#include "stack/base/assert.hpp"
#include "wfp/kernel/bugcheck.hpp"
#include "wfp/ledger/driver_call.hpp"
#include "wfp/ledger/violation.hpp"

namespace app {
namespace {

constexpr unsigned kHangSeconds = 5;
constexpr std::size_t kFaultStackBytes = 64 * 1024;
constexpr int kWaitSteps = 20;
constexpr timespec kWaitStep{0, 10'000'000};  // 20 of them: 200 ms
constexpr std::array kFaultSignals{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS};

void (*tell_supervisor)(const char*, std::size_t) = nullptr;
bool (*recordings_are_written)() = nullptr;
void (*trace_fault)() = nullptr;
std::atomic<int> reporting_thread{0};

// What the C library leaves of its last words, before it calls abort().
struct AbortMessage {
  unsigned size;
  char text[1];
};
AbortMessage** abort_message = nullptr;

void write_error(const char* text, std::size_t size) {
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text, size);
}

void let_recordings_finish() {
  for (int i = 0; i < kWaitSteps && recordings_are_written != nullptr && !recordings_are_written(); ++i)
    nanosleep(&kWaitStep, nullptr);
}

// True for the thread that reports the end. A second one stops here, so that it does not cut the report short; the
// reporting one itself gets false and ends the process at once.
bool begin_report() {
  const int self = static_cast<int>(syscall(SYS_gettid));
  int nobody = 0;
  if (!reporting_thread.compare_exchange_strong(nobody, self)) {
    while (nobody != self) pause();
    return false;
  }
  ::signal(SIGALRM, SIG_DFL);
  alarm(kHangSeconds);
  return true;
}

// `text` has the first lines. What comes last may need memory and locks, and may not come back.
void report_end(FixedText& text, const FaultPoint& point = {}) {
  add_driver(text);
  write_error(text.data(), text.size());
  write_stack(StackPart::DriversFrames, point);
  if (tell_supervisor != nullptr) tell_supervisor(text.data(), text.size());
  let_recordings_finish();
  if (const auto packet = wfp::ledger::current_packet(); !packet.empty()) {
    const auto line = "*** packet: " + packet + "\n";
    write_error(line.data(), line.size());
    text.add("%s", line.c_str());
    if (tell_supervisor != nullptr) tell_supervisor(text.data(), text.size());  // again: the latest counts
  }
  make_last_report(text.data(), text.size());
  if (trace_fault == nullptr) return;
  trace_fault();
  let_recordings_finish();
}

void tell_and_finish(const std::string& report) {
  if (tell_supervisor != nullptr) tell_supervisor(report.data(), report.size());
  let_recordings_finish();
  make_last_report(report.data(), report.size());
}

const char* last_words_of_c_library() {
  return abort_message != nullptr && *abort_message != nullptr ? (*abort_message)->text : "";
}

void on_fault(int signal, siginfo_t* info, void* raw_context) {
  ::signal(signal, SIG_DFL);  // a second one ends the process
  if (!begin_report()) return;
  FixedText text;
  FaultPoint point;
  if (signal == SIGABRT) {
    add_abort(text, last_words_of_c_library());
  } else {
    const auto& context = *static_cast<const ucontext_t*>(raw_context);
    point = fault_point(*info, context);
    if (signal == SIGSYS) {
      add_refused_call(text, *info);
    } else {
      add_signal(text, signal, *info, context);
      add_called_function(text, point);
    }
  }
  report_end(text, point);
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);  // the sandbox had switched it off; now a core is wanted
  raise(signal);                       // blocked until we return, then the default action
}

// Where nobody catches an exception the stack is still that of the throw.
[[noreturn]] void on_terminate() {
  if (!begin_report()) std::abort();
  FixedText text;
  const std::type_info* const type = abi::__cxa_current_exception_type();
  int status = 0;
  const char* const name = type != nullptr ? abi::__cxa_demangle(type->name(), nullptr, nullptr, &status) : nullptr;
  try {
    if (type != nullptr) throw;
    add_exception(text, nullptr, nullptr);
  } catch (const std::exception& exception) {
    add_exception(text, name, exception.what());
  } catch (...) {
    add_exception(text, name, nullptr);
  }
  report_end(text);
  std::abort();
}

// The program itself leaves by exit(), too, but never inside a driver.
void on_exit_called() {
  if (wfp::ledger::current_driver() == wfp::ledger::kNoDriver || !begin_report()) return;
  FixedText text;
  add_exit(text);
  report_end(text);
  std::abort();
}

// A CHECK of ours concerns us: then our frames are shown, too.
void on_bug_check(const wfp::kernel::BugCheck& bug, const std::string& report) {
  begin_report();
  write_error(report.data(), report.size());
  if (bug.has_stack)
    write_stack(bug.code == wfp::kernel::kBugCheckOurs ? StackPart::AllFrames : StackPart::DriversFrames);
  tell_and_finish(report);
}

void on_check(const char* expression, const stack::SourceLocation& where) {
  wfp::kernel::check_failed(expression, where.file_name(), static_cast<int>(where.line()));
}

// For the calling thread, until it ends.
class FaultStack {
 public:
  FaultStack() {
    stack_t stack{};
    stack.ss_sp = memory_.data();
    stack.ss_size = memory_.size();
    sigaltstack(&stack, nullptr);
  }
  ~FaultStack() {
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    sigaltstack(&none, nullptr);
  }
  FaultStack(const FaultStack&) = delete;
  FaultStack& operator=(const FaultStack&) = delete;

 private:
  std::vector<std::byte> memory_ = std::vector<std::byte>(kFaultStackBytes);
};

}  // namespace

void install_fault_report(void (*tell)(const char* text, std::size_t size)) {
  tell_supervisor = tell;
  wfp::kernel::set_bugcheck_sink(on_bug_check);
  stack::set_fault_handler(on_check);
  std::set_terminate(on_terminate);
  abort_message = static_cast<AbortMessage**>(dlsym(RTLD_DEFAULT, "__abort_msg"));
  std::array<void*, 2> warm_up;  // loads what backtrace() needs, while loading is still possible
  backtrace(warm_up.data(), static_cast<int>(warm_up.size()));
  install_thread_pictures();
  struct sigaction action {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (const int signal : kFaultSignals)
    if (!has_sanitizer() || signal == SIGABRT) sigaction(signal, &action, nullptr);  // the others it reports itself
  use_fault_stack();
  wfp::ledger::set_thread_preparation(use_fault_stack);
}

void report_before_end(const std::string& sentence, const std::string& report) {
  begin_report();
  write_error(sentence.data(), sentence.size());
  tell_and_finish(report);
}

void end_by_hang(const std::string& report, int thread) {
  report_before_end(report, report);
  ::signal(SIGABRT, SIG_DFL);
  syscall(SYS_tgkill, getpid(), thread, SIGABRT);
  for (;;) pause();
}

void use_fault_stack() {
  if (has_sanitizer()) return;
  [[maybe_unused]] thread_local const FaultStack stack;
}

void wait_for_recordings(bool (*are_written)()) { recordings_are_written = are_written; }

void trace_faults_by(void (*trace)()) { trace_fault = trace; }

void remember_driver(unsigned id, const std::string& name) {
  keep_driver_name(id, name);
  // Again for each: the latest runs first, before what was made meanwhile is destroyed.
  std::atexit(on_exit_called);
  std::at_quick_exit(on_exit_called);
}

}  // namespace app
