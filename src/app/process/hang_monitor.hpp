// Watches the calls into drivers (wfp/ledger/driver_call.hpp) from a thread of its own, and tells of each that does not
// come back: which driver, call, callout and packet, whether it loops or waits, for what, and the stacks of its thread
// and of the driver's other threads.
//
// Age is counted in looks, and begins anew when a look comes late: a process that was stopped meanwhile, by a debugger
// for example, is not accused of it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "src/app/places/place_client.hpp"
#include "src/app/process/thread_picture.hpp"

namespace app {

struct Hang {
  ThreadPicture thread;
  std::vector<ThreadPicture> others;  // threads of the same driver
  std::string waits;                  // who waits for what, a line each
  std::chrono::seconds after{0};
};
// In words: the first lines like those of a bug check, then the stacks. Not on the stack's thread.
std::string text_of(const Hang& hang, PlaceClient& places);
// The driver's part of a thread's stack.
std::vector<SourceFrame> driver_frames(const std::vector<void*>& stack, PlaceClient& places);

// Hears of hangs, on the monitor's thread.
class HangListener {
 public:
  virtual ~HangListener() = default;
  virtual void on_hang(const Hang& hang) = 0;  // once for each call that lasts too long
  virtual void on_look_with_hang() = 0;        // after each look at which some call still does
};

class HangMonitor {
 public:
  static constexpr std::chrono::milliseconds kLook{250};
  static constexpr std::chrono::seconds kLimit{5};

  // `listener` outlives it; `who_waits` says who waits for what.
  HangMonitor(HangListener& listener, std::function<std::string()> who_waits,
              std::chrono::milliseconds limit = kLimit);
  ~HangMonitor();
  HangMonitor(const HangMonitor&) = delete;
  HangMonitor& operator=(const HangMonitor&) = delete;

 private:
  struct Seen {
    int thread = 0;
    std::uint64_t mark = 0;
    int looks = 0;
    bool is_told = false;
  };
  void run();
  void look();
  bool is_late();
  bool tell(int thread, std::uint64_t mark, std::size_t slot);

  HangListener& listener_;
  const std::function<std::string()> who_waits_;
  const int limit_looks_;
  std::vector<Seen> seen_;  // by slot
  std::chrono::steady_clock::time_point last_look_ = std::chrono::steady_clock::now();
  std::mutex mutex_;
  std::condition_variable ends_;
  bool ending_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace app
