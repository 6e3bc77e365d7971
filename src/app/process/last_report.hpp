// The report of a run that a driver ends. It takes memory and locks, which a signal handler must not, so a thread that
// is otherwise idle makes it while the thread that faulted stands still; what it cannot get at, because a lock was held,
// is missing. Whoever ends the process waits for it for a limited time.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>

namespace app {

class LastReport {
 public:
  // `make` is called at most once, on the thread, with the text of the bug check. One object at a time; it begins once
  // privileges are given up, which wants a process with one thread.
  explicit LastReport(std::function<void(const std::string& bug_check)> make);
  ~LastReport();
  LastReport(const LastReport&) = delete;
  LastReport& operator=(const LastReport&) = delete;

 private:
  void run();

  std::function<void(const std::string&)> make_;
  std::thread thread_;
};

// Has it made, if there is one, and waits for at most two seconds. Any thread; in a signal handler, too.
void make_last_report(const char* bug_check, std::size_t size);

}  // namespace app
