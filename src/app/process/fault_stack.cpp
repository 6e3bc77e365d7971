#include "src/app/process/fault_stack.hpp"

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "src/app/places/place_client.hpp"
#include "wfp/ledger/place.hpp"

namespace app {
namespace {

constexpr int kMaxFrames = 48;
int places = -1;

struct Frames {
  std::array<void*, kMaxFrames> addresses;
  int count = 0;
};

// The handler's frames come first.
Frames take_frames(const FaultPoint& point) {
  Frames frames;
  if (point.jumped_from != nullptr)
    frames.addresses[static_cast<std::size_t>(frames.count++)] = point.jumped_from;
  else
    frames.count = backtrace(frames.addresses.data(), kMaxFrames);
  return frames;
}

}  // namespace

void tell_stacks_to(int places_fd) {
  places = places_fd >= 0 ? fcntl(places_fd, F_DUPFD_CLOEXEC, 0) : -1;
  find_own_image();
}

FaultPoint fault_point([[maybe_unused]] const siginfo_t& info, [[maybe_unused]] const ucontext_t& context) {
#if defined(__x86_64__)
  const auto* const instruction = reinterpret_cast<const void*>(context.uc_mcontext.gregs[REG_RIP]);
  void* const* const stack = reinterpret_cast<void**>(context.uc_mcontext.gregs[REG_RSP]);
  const bool jumped = instruction == info.si_addr && !wfp::ledger::place_of(instruction);
  return {instruction, jumped && wfp::ledger::place_of_call(*stack) ? *stack : nullptr};
#else
  return {};
#endif
}

void write_stack(StackPart part, const FaultPoint& point) {
  const auto frames = take_frames(point);
  const char which = part == StackPart::AllFrames ? kAllFrames : kDriversFrames;
  const void* const first = point.jumped_from == nullptr ? point.instruction : nullptr;
  if (send_stack(places, which, frames.addresses.data(), frames.count, first)) return;
  [[maybe_unused]] const auto written = write(STDERR_FILENO, "*** stack:\n", 11);
  backtrace_symbols_fd(frames.addresses.data(), frames.count, STDERR_FILENO);
}

void add_called_function(FixedText& text, const FaultPoint& point) {
  if (point.jumped_from != nullptr || wfp::ledger::place_of(point.instruction)) return;
  const auto frames = take_frames(point);
  const auto* const end = frames.addresses.data() + frames.count;
  const auto* const struck = std::find(frames.addresses.data(), end, point.instruction);
  if (struck == end) return;
  const auto* const driver = std::find_if(
      struck, end, [](const void* frame) { return static_cast<bool>(wfp::ledger::place_of_call(frame)); });
  if (driver == end || driver == struck) return;
  const auto* const inside = static_cast<const char*>(driver[-1]) - (driver - 1 == struck ? 0 : 1);
  Dl_info symbol{};
  if (dladdr(inside, &symbol) != 0 && symbol.dli_sname != nullptr)
    text.add(
        "*** in %.100s, which the driver called: a pointer that it was given, or what that leads to, is no memory\n",
        symbol.dli_sname);
}

}  // namespace app
