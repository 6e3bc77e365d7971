#include "src/app/process/hang_monitor.hpp"

#include <algorithm>
#include <utility>

#include "wfp/ledger/driver_call.hpp"

namespace app {
namespace {

constexpr std::size_t kMaxOthers = 8;
constexpr auto kLate = 4 * HangMonitor::kLook;

std::vector<ThreadPicture> threads_of(wfp::ledger::DriverId driver, int but) {
  std::vector<ThreadPicture> pictures;
  for (std::size_t i = 0; i < wfp::ledger::call_slot_count() && pictures.size() < kMaxOthers; ++i) {
    const int thread = wfp::ledger::call_slot(i).thread.load(std::memory_order_acquire);
    if (thread == 0 || thread == but) continue;
    auto picture = picture_of(thread);
    if (picture && picture->driver == driver) pictures.push_back(std::move(*picture));
  }
  return pictures;
}

}  // namespace

HangMonitor::HangMonitor(HangListener& listener, std::function<std::string()> who_waits,
                         std::chrono::milliseconds limit)
    : listener_(listener),
      who_waits_(std::move(who_waits)),
      limit_looks_(std::max(1, static_cast<int>(limit / kLook))),
      seen_(wfp::ledger::kCallSlots),
      thread_([this] { run(); }) {}

HangMonitor::~HangMonitor() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  ends_.notify_one();
  thread_.join();
}

void HangMonitor::run() {
  std::unique_lock lock(mutex_);
  while (!ends_.wait_for(lock, kLook, [this] { return ending_; })) {
    lock.unlock();
    look();
    lock.lock();
  }
}

bool HangMonitor::is_late() {
  const auto now = std::chrono::steady_clock::now();
  return now - std::exchange(last_look_, now) > kLate;
}

void HangMonitor::look() {
  if (is_late())
    for (Seen& seen : seen_) seen.looks = 0;
  bool some_hang = false;
  for (std::size_t i = 0; i < wfp::ledger::call_slot_count(); ++i) {
    const auto& slot = wfp::ledger::call_slot(i);
    const std::uint64_t mark = slot.mark.load(std::memory_order_relaxed);
    const int thread = slot.thread.load(std::memory_order_acquire);
    Seen& seen = seen_[i];
    if (mark == 0 || seen.mark != mark || seen.thread != thread) {
      seen = {thread, mark, 0, false};
      continue;
    }
    if (++seen.looks < limit_looks_) continue;
    if (!seen.is_told) seen.is_told = tell(thread, mark, i);
    some_hang |= seen.is_told;
  }
  if (some_hang) listener_.on_look_with_hang();
}

// False: it came back in the last moment, or does not answer yet.
bool HangMonitor::tell(int thread, std::uint64_t mark, std::size_t slot) {
  auto picture = picture_of(thread);
  if (!picture || wfp::ledger::call_slot(slot).mark.load(std::memory_order_relaxed) != mark) return false;
  Hang hang;
  hang.after = std::chrono::duration_cast<std::chrono::seconds>(limit_looks_ * kLook);
  hang.others = threads_of(picture->driver, thread);
  hang.thread = std::move(*picture);
  if (!hang.thread.runs) hang.waits = who_waits_();
  listener_.on_hang(hang);
  return true;
}

}  // namespace app
