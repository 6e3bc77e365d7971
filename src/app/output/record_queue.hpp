// A bounded queue between the stack's thread, which records, and a thread that writes to a file. A full queue makes
// the recording side wait: a file is written completely, or the loss is counted and said. Not for live listeners, who
// may be slow for ever: see src/app/control/trace_hub.hpp, which drops and counts.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

namespace app::output {

template <typename T>
class RecordQueue {
 public:
  explicit RecordQueue(std::size_t limit) : limit_(limit) {}

  // Waits for room. After stop(), and after fail(), the record is counted as lost.
  void push(T record) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return records_.size() < limit_ || stopped_ || failed_; });
    if (stopped_ || failed_) {
      ++lost_;
      return;
    }
    records_.push_back(std::move(record));
    if (records_.size() == 1) work_.notify_one();
  }
  // Waits for records and takes them all. False: stopped, and nothing is left.
  bool take(std::vector<T>& into) {
    into.clear();
    std::unique_lock lock(mutex_);
    work_.wait(lock, [this] { return !records_.empty() || stopped_; });
    std::swap(into, records_);
    room_.notify_all();
    return !into.empty();
  }
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    work_.notify_all();
    room_.notify_all();
  }
  // The writer cannot go on; `lost` records that it had taken are lost, and so is all that comes.
  void fail(std::size_t lost) {
    const std::lock_guard lock(mutex_);
    failed_ = true;
    lost_ += lost + records_.size();
    records_.clear();
    room_.notify_all();
  }
  std::uint64_t lost() const {
    const std::lock_guard lock(mutex_);
    return lost_;
  }

 private:
  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::condition_variable room_, work_;
  std::vector<T> records_;
  bool stopped_ = false;
  bool failed_ = false;
  std::uint64_t lost_ = 0;
};

}  // namespace app::output
