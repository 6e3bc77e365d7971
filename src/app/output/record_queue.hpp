// A bounded queue between the stack's thread, which records, and a thread that writes to a file. A full queue makes
// the recording side wait: a file is written completely, or the loss is counted and said. Not for live listeners, who
// may be slow for ever: see src/app/control/trace_hub.hpp, which drops and counts.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

namespace app::output {

// Queues with records that are not in their file yet: who waits for 0 has all that was recorded, and may do so in a
// signal handler. A queue that failed is not waited for.
inline std::atomic<unsigned> queues_behind{0};
static_assert(std::atomic<unsigned>::is_always_lock_free);

template <typename T>
class RecordQueue {
 public:
  explicit RecordQueue(std::size_t limit) : limit_(limit) {}
  ~RecordQueue() { set_behind(false); }
  RecordQueue(const RecordQueue&) = delete;
  RecordQueue& operator=(const RecordQueue&) = delete;

  // Waits for room. After stop(), and after fail(), the record is counted as lost.
  void push(T record) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return records_.size() < limit_ || stopped_ || failed_; });
    if (stopped_ || failed_) {
      ++lost_;
      return;
    }
    records_.push_back(std::move(record));
    set_behind(true);
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
  // Nothing waits: the time for the writer to hand what it has buffered to the file. Then all_written().
  bool is_empty() const {
    const std::lock_guard lock(mutex_);
    return records_.empty();
  }
  void all_written() {  // that was taken
    const std::lock_guard lock(mutex_);
    if (records_.empty()) set_behind(false);
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
    set_behind(false);
    room_.notify_all();
  }
  std::uint64_t lost() const {
    const std::lock_guard lock(mutex_);
    return lost_;
  }

 private:
  void set_behind(bool behind) {
    if (is_behind_ == behind) return;
    is_behind_ = behind;
    behind ? ++queues_behind : --queues_behind;
  }

  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::condition_variable room_, work_;
  std::vector<T> records_;
  bool stopped_ = false;
  bool failed_ = false;
  bool is_behind_ = false;  // counted in queues_behind
  std::uint64_t lost_ = 0;
};

}  // namespace app::output
