#include "src/app/process/fault.hpp"

#include <execinfo.h>
#include <signal.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <vector>

#include "stack/base/assert.hpp"
#include "wfp/engine/classify.hpp"
#include "wfp/kernel/bugcheck.hpp"
#include "wfp/kernel/thread_state.hpp"
#include "wfp/ledger/irql.hpp"
#include "wfp/ledger/violation.hpp"
#include "wfp/model/layer.hpp"

namespace app {
namespace {

// Documented bug check codes.
constexpr unsigned kIrqlNotLessOrEqual = 0xd1;       // DRIVER_IRQL_NOT_LESS_OR_EQUAL
constexpr unsigned kPageFault = 0x50;                // PAGE_FAULT_IN_NONPAGED_AREA
constexpr unsigned kThreadException = 0x7e;          // SYSTEM_THREAD_EXCEPTION_NOT_HANDLED
constexpr unsigned kKernelModeTrap = 0x7f;           // UNEXPECTED_KERNEL_MODE_TRAP
constexpr unsigned long kDoubleFault = 8;            // what a used-up kernel stack ends in
constexpr unsigned long kDivideByZero = 0xc0000094;  // STATUS_INTEGER_DIVIDE_BY_ZERO
constexpr unsigned long kIllegal = 0xc000001d;       // STATUS_ILLEGAL_INSTRUCTION

constexpr std::size_t kMaxDriverNames = 256;
constexpr int kMaxFrames = 48;
constexpr unsigned kHangSeconds = 5;
constexpr std::size_t kFaultStackBytes = 64 * 1024;
constexpr unsigned long kNearStackPointer = 64 * 1024, kPage = 4096;
constexpr int kWaitSteps = 20;
constexpr timespec kWaitStep{0, 10'000'000};  // 20 of them: 200 ms
constexpr std::array kFaultSignals{SIGSEGV, SIGBUS, SIGFPE, SIGILL};

std::array<std::array<char, 48>, kMaxDriverNames> driver_names;
void (*tell_supervisor)(const char*, std::size_t) = nullptr;
bool (*recordings_are_written)() = nullptr;
std::atomic_flag reporting = ATOMIC_FLAG_INIT;

// Text in a fixed buffer, written and told at once.
class FixedText {
 public:
  [[gnu::format(printf, 2, 3)]] void add(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int count = std::vsnprintf(text_.data() + size_, text_.size() - size_, format, arguments);
    va_end(arguments);
    if (count > 0) size_ = std::min(size_ + static_cast<std::size_t>(count), text_.size() - 1);
  }
  const char* data() const { return text_.data(); }
  std::size_t size() const { return size_; }

 private:
  std::array<char, 4096> text_{};
  std::size_t size_ = 0;
};

void write_error(const char* text, std::size_t size) {
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text, size);
}

struct Access {
  unsigned long instruction = 0;
  unsigned long kind = 0;  // 0 read, 1 write, 8 execute
  unsigned long stack_pointer = 0;
};

Access access_of([[maybe_unused]] const ucontext_t& context) {
#if defined(__x86_64__)
  constexpr long long kWrite = 2, kExecute = 16;  // of the page fault's error code
  const auto error = context.uc_mcontext.gregs[REG_ERR];
  return {static_cast<unsigned long>(context.uc_mcontext.gregs[REG_RIP]),
          (error & kExecute) != 0 ? 8ul
          : (error & kWrite) != 0 ? 1ul
                                  : 0ul,
          static_cast<unsigned long>(context.uc_mcontext.gregs[REG_RSP])};
#else
  return {};
#endif
}

// Where the next frame would have been is no memory.
bool has_used_up_stack(int signal, unsigned long address, const Access& access) {
  const auto pointer = access.stack_pointer;
  return signal == SIGSEGV && pointer != 0 && address + kNearStackPointer >= pointer && address < pointer + kPage;
}

void add_stop_line(FixedText& text, int signal, const siginfo_t& info, const Access& access) {
  const auto address = reinterpret_cast<unsigned long>(info.si_addr);
  const unsigned irql = wfp::ledger::running_irql;
  const auto stop = [&](unsigned code, const char* name, unsigned long a, unsigned long b, unsigned long c,
                        unsigned long d) {
    text.add("*** STOP: 0x%08X (0x%016lX, 0x%016lX, 0x%016lX, 0x%016lX)\n*** %s\n", code, a, b, c, d, name);
  };
  if (signal == SIGFPE || signal == SIGILL) {
    stop(kThreadException, "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED", signal == SIGFPE ? kDivideByZero : kIllegal,
         access.instruction, 0, 0);
  } else if (has_used_up_stack(signal, address, access)) {
    stop(kKernelModeTrap, "UNEXPECTED_KERNEL_MODE_TRAP", kDoubleFault, 0, 0, 0);
    text.add("*** double fault: the stack is used up; too deep a recursion, or too large local variables\n");
  } else if (irql >= DISPATCH_LEVEL) {
    stop(kIrqlNotLessOrEqual, "DRIVER_IRQL_NOT_LESS_OR_EQUAL", address, irql, access.kind, access.instruction);
  } else {
    stop(kPageFault, "PAGE_FAULT_IN_NONPAGED_AREA", address, access.kind, access.instruction, 0);
  }
  text.add("*** %s address 0x%lx\n",
           access.kind == 8   ? "jump to"
           : access.kind == 1 ? "write to"
                              : "read of",
           address);
}

void add_driver_line(FixedText& text) {
  const auto id = wfp::ledger::current_driver();
  const char* name = id < kMaxDriverNames && driver_names[id][0] != 0 ? driver_names[id].data() : "(none)";
  text.add("*** driver %s, processor %u, %s\n", name, static_cast<unsigned>(wfp::kernel::thread_state.processor),
           wfp::ledger::irql_name(wfp::ledger::running_irql));
}

void add_callout_line(FixedText& text) {
  const auto* current = wfp::engine::current_classify();
  if (current == nullptr) return;
  const auto layer = wfp::model::layer_name(current->layer);
  text.add("*** in callout %u (filter %llu) at %.*s\n", current->callout_id,
           static_cast<unsigned long long>(current->filter_id), static_cast<int>(layer.size()), layer.data());
}

void let_recordings_finish() {
  for (int i = 0; i < kWaitSteps && recordings_are_written != nullptr && !recordings_are_written(); ++i)
    nanosleep(&kWaitStep, nullptr);
}

void on_fault(int signal, siginfo_t* info, void* raw_context) {
  ::signal(signal, SIG_DFL);  // a second one ends the process
  if (reporting.test_and_set()) return;
  ::signal(SIGALRM, SIG_DFL);
  alarm(kHangSeconds);
  const auto& context = *static_cast<const ucontext_t*>(raw_context);
  FixedText text;
  add_stop_line(text, signal, *info, access_of(context));
  add_driver_line(text);
  add_callout_line(text);
  write_error(text.data(), text.size());
  std::array<void*, kMaxFrames> frames;
  const int count = backtrace(frames.data(), kMaxFrames);
  write_error("*** stack:\n", 11);
  backtrace_symbols_fd(frames.data(), count, STDERR_FILENO);
  if (tell_supervisor != nullptr) tell_supervisor(text.data(), text.size());
  let_recordings_finish();
  // What follows may need memory and locks, and may not come back.
  if (const auto packet = wfp::ledger::current_packet(); !packet.empty()) {
    const auto line = "*** packet: " + packet + "\n";
    write_error(line.data(), line.size());
    text.add("%s", line.c_str());
    if (tell_supervisor != nullptr) tell_supervisor(text.data(), text.size());  // again: the latest counts
  }
  raise(signal);  // blocked until we return, then the default action
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

constexpr bool has_sanitizer() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return true;
#else
  return false;
#endif
#else
  return false;
#endif
}

}  // namespace

void install_fault_report(void (*tell)(const char* text, std::size_t size)) {
  tell_supervisor = tell;
  wfp::kernel::set_bugcheck_sink([](const std::string& report) {
    write_error(report.data(), report.size());
    if (tell_supervisor != nullptr) tell_supervisor(report.data(), report.size());
    let_recordings_finish();
  });
  stack::set_fault_handler(on_check);
  std::array<void*, 2> warm_up;  // loads what backtrace() needs, while loading is still possible
  backtrace(warm_up.data(), static_cast<int>(warm_up.size()));
  if (has_sanitizer()) return;
  struct sigaction action {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (const int signal : kFaultSignals) sigaction(signal, &action, nullptr);
  use_fault_stack();
}

void use_fault_stack() {
  if (has_sanitizer()) return;
  [[maybe_unused]] thread_local const FaultStack stack;
}

void wait_for_recordings(bool (*are_written)()) { recordings_are_written = are_written; }

void remember_driver(unsigned id, const std::string& name) {
  if (id < kMaxDriverNames) std::snprintf(driver_names[id].data(), driver_names[id].size(), "%s", name.c_str());
}

}  // namespace app
