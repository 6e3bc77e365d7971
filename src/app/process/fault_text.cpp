#include "src/app/process/fault_text.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "wfp/engine/classify.hpp"
#include "wfp/kernel/thread_state.hpp"
#include "wfp/ledger/irql.hpp"
#include "wfp/model/layer.hpp"

namespace app {
namespace {

// Documented bug check codes.
constexpr unsigned kIrqlNotLessOrEqual = 0xd1;       // DRIVER_IRQL_NOT_LESS_OR_EQUAL
constexpr unsigned kPageFault = 0x50;                // PAGE_FAULT_IN_NONPAGED_AREA
constexpr unsigned kThreadException = 0x7e;          // SYSTEM_THREAD_EXCEPTION_NOT_HANDLED
constexpr unsigned kKernelModeTrap = 0x7f;           // UNEXPECTED_KERNEL_MODE_TRAP
constexpr unsigned kExceptionNotHandled = 0x1e;      // KMODE_EXCEPTION_NOT_HANDLED
constexpr unsigned kOverranStackBuffer = 0xf7;       // DRIVER_OVERRAN_STACK_BUFFER
constexpr unsigned kHeapCorruption = 0x13a;          // KERNEL_MODE_HEAP_CORRUPTION
constexpr unsigned kCriticalProcessDied = 0xef;      // CRITICAL_PROCESS_DIED
constexpr unsigned kDpcWatchdog = 0x133;             // DPC_WATCHDOG_VIOLATION
constexpr unsigned kThreadStuck = 0xea;              // THREAD_STUCK_IN_DEVICE_DRIVER
constexpr unsigned long kDoubleFault = 8;            // what a used-up kernel stack ends in
constexpr unsigned long kDivideByZero = 0xc0000094;  // STATUS_INTEGER_DIVIDE_BY_ZERO
constexpr unsigned long kIllegal = 0xc000001d;       // STATUS_ILLEGAL_INSTRUCTION
constexpr unsigned long kCppException = 0xe06d7363;  // what a C++ exception of the Windows compiler is raised as
constexpr unsigned long kFatalAppExit = 0x40000015;  // STATUS_FATAL_APP_EXIT, which abort() raises there
constexpr unsigned long kAssertion = 0xc0000420;     // STATUS_ASSERTION_FAILURE

constexpr unsigned long kNearStackPointer = 64 * 1024, kPage = 4096;

std::array<std::array<char, 48>, wfp::ledger::kDriverLimit> driver_names;

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

bool says(const char* words, const char* part) { return std::strstr(words, part) != nullptr; }

}  // namespace

void FixedText::add(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int count = std::vsnprintf(text_.data() + size_, text_.size() - size_, format, arguments);
  va_end(arguments);
  if (count > 0) size_ = std::min(size_ + static_cast<std::size_t>(count), text_.size() - 1);
}

void keep_driver_name(wfp::ledger::DriverId id, const std::string& name) {
  if (id < driver_names.size()) std::snprintf(driver_names[id].data(), driver_names[id].size(), "%s", name.c_str());
}

const char* kept_driver_name(wfp::ledger::DriverId id) {
  return id < driver_names.size() && driver_names[id][0] != 0 ? driver_names[id].data() : "(none)";
}

void add_stop(FixedText& text, unsigned code, const char* name, unsigned long a, unsigned long b, unsigned long c,
              unsigned long d) {
  text.add("*** STOP: 0x%08X (0x%016lX, 0x%016lX, 0x%016lX, 0x%016lX)\n*** %s\n", code, a, b, c, d, name);
}

void add_signal(FixedText& text, int signal, const siginfo_t& info, const ucontext_t& context) {
  const auto address = reinterpret_cast<unsigned long>(info.si_addr);
  const auto access = access_of(context);
  const unsigned irql = wfp::ledger::running_irql;
  if (signal == SIGFPE || signal == SIGILL) {
    add_stop(text, kThreadException, "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED",
             signal == SIGFPE ? kDivideByZero : kIllegal, access.instruction);
  } else if (has_used_up_stack(signal, address, access)) {
    add_stop(text, kKernelModeTrap, "UNEXPECTED_KERNEL_MODE_TRAP", kDoubleFault);
    text.add("*** double fault: the stack is used up; too deep a recursion, or too large local variables\n");
  } else if (irql >= DISPATCH_LEVEL) {
    add_stop(text, kIrqlNotLessOrEqual, "DRIVER_IRQL_NOT_LESS_OR_EQUAL", address, irql, access.kind,
             access.instruction);
  } else {
    add_stop(text, kPageFault, "PAGE_FAULT_IN_NONPAGED_AREA", address, access.kind, access.instruction);
  }
  text.add("*** %s address 0x%lx\n",
           access.kind == 8   ? "jump to"
           : access.kind == 1 ? "write to"
                              : "read of",
           address);
}

void add_abort(FixedText& text, const char* words) {
  if (words[0] == 0) {
    add_stop(text, kExceptionNotHandled, "KMODE_EXCEPTION_NOT_HANDLED", kFatalAppExit);
    text.add("*** abort() was called; kernel code that cannot go on returns an error, or calls KeBugCheckEx\n");
    return;
  }
  if (says(words, "smashing") || says(words, "buffer overflow"))
    add_stop(text, kOverranStackBuffer, "DRIVER_OVERRAN_STACK_BUFFER");
  else if (says(words, "Assertion"))
    add_stop(text, kExceptionNotHandled, "KMODE_EXCEPTION_NOT_HANDLED", kAssertion);
  else
    add_stop(text, kHeapCorruption, "KERNEL_MODE_HEAP_CORRUPTION");
  const int length = static_cast<int>(std::strcspn(words, "\n"));
  text.add("*** the C library says: %.*s\n", std::min(length, 400), words);
}

void add_exception(FixedText& text, const char* type, const char* what) {
  add_stop(text, kExceptionNotHandled, "KMODE_EXCEPTION_NOT_HANDLED", kCppException);
  text.add("*** a C++ exception");
  if (type != nullptr) text.add(" (%.200s%s%.400s)", type, what != nullptr ? ": " : "", what != nullptr ? what : "");
  text.add(" was not caught; kernel code has nobody above it who would, so catch what is thrown or do not throw\n");
}

void add_exit(FixedText& text) {
  add_stop(text, kCriticalProcessDied, "CRITICAL_PROCESS_DIED");
  text.add("*** exit() was called; kernel code has no process of its own to end\n");
}

void add_hang(FixedText& text, wfp::ledger::CallKind call, unsigned irql, unsigned seconds) {
  if (irql >= DISPATCH_LEVEL)
    add_stop(text, kDpcWatchdog, "DPC_WATCHDOG_VIOLATION", call == wfp::ledger::CallKind::Dpc ? 0 : 1, seconds);
  else
    add_stop(text, kThreadStuck, "THREAD_STUCK_IN_DEVICE_DRIVER");
}

void add_driver(FixedText& text) {
  text.add("*** driver %s, processor %u, %s\n", kept_driver_name(wfp::ledger::current_driver()),
           static_cast<unsigned>(wfp::kernel::thread_state.processor),
           wfp::ledger::irql_name(wfp::ledger::running_irql));
  const auto call = wfp::ledger::current_call();
  if (call != wfp::ledger::CallKind::None && call != wfp::ledger::CallKind::Classify)
    text.add("*** in %s\n", wfp::ledger::phrase_of(call));
  const auto* current = wfp::engine::current_classify();
  if (current == nullptr) return;
  const auto layer = wfp::model::layer_name(current->layer);
  text.add("*** in callout %u (filter %llu) at %.*s\n", current->callout_id,
           static_cast<unsigned long long>(current->filter_id), static_cast<int>(layer.size()), layer.data());
}

}  // namespace app
