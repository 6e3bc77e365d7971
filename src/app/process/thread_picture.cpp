#include "src/app/process/thread_picture.hpp"

#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "src/app/process/fault_text.hpp"
#include "src/app/process/sanitizer.hpp"
#include "wfp/kernel/thread.hpp"
#include "wfp/kernel/thread_state.hpp"
#include "wfp/ledger/irql.hpp"
#include "wfp/ledger/violation.hpp"

namespace app {
namespace {

constexpr int kMaxFrames = 64;
constexpr int kSignalOffset = 5;  // from SIGRTMIN
constexpr timespec kStep{0, 1'000'000};
constexpr int kAnswerSteps = 500, kPacketSteps = 300;
constexpr std::size_t kAllocatorDepth = 8;  // frames from the innermost in which the allocator would show

enum class Stage : int { Idle, Asked, Answered, PacketWanted, PacketNotWanted, Done };

// What the asked thread writes; read by the asker once the stage says so.
struct Answer {
  std::atomic<Stage> stage{Stage::Idle};
  std::atomic<int> thread{0};  // that is asked
  FixedText where;
  std::array<void*, kMaxFrames> frames{};
  int count = 0;
  void* instruction = nullptr;
  wfp::ledger::DriverId driver = wfp::ledger::kNoDriver;
  wfp::ledger::CallKind call = wfp::ledger::CallKind::None;
  unsigned irql = 0;
  std::array<char, 64> name{};
  std::array<char, 256> packet{};
};
Answer answer;

// The thread sanitizer accuses whatever takes memory in a signal handler.
constexpr bool may_take_memory() { return !has_thread_sanitizer(); }

void* instruction_of([[maybe_unused]] const ucontext_t& context) {
#if defined(__x86_64__)
  return reinterpret_cast<void*>(context.uc_mcontext.gregs[REG_RIP]);
#else
  return nullptr;
#endif
}

void describe_self(const ucontext_t& context) {
  answer.where = FixedText{};
  add_driver(answer.where);
  answer.instruction = instruction_of(context);
  answer.count = backtrace(answer.frames.data(), kMaxFrames);
  answer.driver = wfp::ledger::current_driver();
  answer.call = wfp::ledger::current_call();
  answer.irql = wfp::ledger::running_irql;
  const auto* const thread = wfp::kernel::thread_state.thread;
  const bool has_name = thread != nullptr && !thread->from_outside;
  std::snprintf(answer.name.data(), answer.name.size(), "%s", has_name ? thread->name.c_str() : "");
  answer.packet[0] = 0;
}

// The asker looks at the stack first and says whether the packet can be asked for.
void wait_for_wish() {
  for (int i = 0; i < kPacketSteps && answer.stage == Stage::Answered; ++i) nanosleep(&kStep, nullptr);
  Stage wanted = Stage::PacketWanted;
  if (!answer.stage.compare_exchange_strong(wanted, Stage::Asked)) return;
  const std::string packet = wfp::ledger::current_packet();
  std::snprintf(answer.packet.data(), answer.packet.size(), "%s", packet.c_str());
  answer.stage = Stage::Done;
}

void on_picture_signal(int, siginfo_t*, void* context) {
  const int error = errno;
  const int self = static_cast<int>(syscall(SYS_gettid));
  Stage asked = Stage::Asked;
  if (answer.thread == self && answer.stage.load() == asked) {
    describe_self(*static_cast<const ucontext_t*>(context));
    if (answer.stage.compare_exchange_strong(asked, Stage::Answered)) wait_for_wish();
  }
  errno = error;
}

bool await(Stage wanted, int steps) {
  for (int i = 0; i < steps; ++i) {
    if (answer.stage == wanted) return true;
    nanosleep(&kStep, nullptr);
  }
  return answer.stage == wanted;
}

bool is_running(int thread) {
  char path[64], text[256];
  std::snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
  std::FILE* const file = std::fopen(path, "re");
  if (file == nullptr) return false;
  const std::size_t size = std::fread(text, 1, sizeof text - 1, file);
  std::fclose(file);
  text[size] = 0;
  const char* const state = std::strrchr(text, ')');  // the name before it may hold anything
  return state != nullptr && state[1] == ' ' && state[2] == 'R';
}

bool is_in_allocator(const std::vector<void*>& stack) {
  constexpr std::array kNames{"malloc",        "free",           "calloc", "realloc",
                              "aligned_alloc", "posix_memalign", "_Znwm",  "_ZdlPv"};
  return std::any_of(stack.begin(),
                     stack.begin() + static_cast<std::ptrdiff_t>(std::min(stack.size(), kAllocatorDepth)),
                     [&](void* address) {
                       Dl_info info{};
                       if (dladdr(address, &info) == 0 || info.dli_sname == nullptr) return false;
                       const auto same = [&](const char* name) { return std::strcmp(name, info.dli_sname) == 0; };
                       return std::any_of(kNames.begin(), kNames.end(), same);
                     });
}

// Without the handler's own frames.
std::vector<void*> stack_of_answer() {
  const auto first = answer.frames.begin(), last = first + answer.count;
  const auto interrupted = std::find(first, last, answer.instruction);
  return std::vector<void*>(interrupted == last ? first : interrupted, last);
}

ThreadPicture take_answer(int thread, bool runs) {
  ThreadPicture picture;
  picture.thread = thread;
  picture.runs = runs;
  picture.name = answer.name.data();
  picture.driver = answer.driver;
  picture.call = answer.call;
  picture.irql = answer.irql;
  picture.where.assign(answer.where.data(), answer.where.size());
  picture.stack = stack_of_answer();
  if (!may_take_memory() || is_in_allocator(picture.stack)) {
    answer.stage = Stage::PacketNotWanted;
    return picture;
  }
  answer.stage = Stage::PacketWanted;
  if (await(Stage::Done, kPacketSteps)) picture.packet = answer.packet.data();
  return picture;
}

}  // namespace

int picture_signal() { return SIGRTMIN + kSignalOffset; }

void install_thread_pictures() {
  struct sigaction action {};
  action.sa_sigaction = on_picture_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(picture_signal(), &action, nullptr);
}

std::optional<ThreadPicture> picture_of(int thread) {
  const bool runs = is_running(thread);
  answer.thread = thread;
  answer.stage = Stage::Asked;
  if (syscall(SYS_tgkill, getpid(), thread, picture_signal()) != 0) return std::nullopt;
  std::optional<ThreadPicture> picture;
  if (await(Stage::Answered, kAnswerSteps)) picture = take_answer(thread, runs);
  answer.thread = 0;
  return picture;
}

}  // namespace app
