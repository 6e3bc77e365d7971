// Where classify calls go: to the --trace file, completely, and to live listeners, each behind a bounded queue that
// drops and counts when its reader is slow. classified() runs on the stack's thread; everything else on any thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "src/app/output/trace_entry.hpp"
#include "src/app/output/trace_file.hpp"
#include "src/app/output/wall_clock.hpp"

namespace app::control {

inline constexpr std::size_t kMaxListenerRecords = 4096;

class TraceListener {
 public:
  // `changed` is called when there is something to take() after there was nothing, on the stack's thread.
  TraceListener(std::string layer, std::function<void()> changed)
      : layer_(std::move(layer)), changed_(std::move(changed)) {}

  struct Batch {
    std::vector<output::TraceEntry> entries;
    std::uint64_t dropped = 0;  // behind the last of them
  };
  Batch take();  // what has come; does not wait

 private:
  friend class TraceHub;
  bool wants(std::string_view layer) const { return layer_.empty() || layer == layer_; }
  void offer(const output::TraceEntry& entry);

  const std::string layer_;  // its full name; empty: every layer
  const std::function<void()> changed_;
  std::mutex mutex_;
  Batch next_;
};

class TraceHub final : public shim::TraceSink {
 public:
  // `changed` is called when is_wanted() has changed, on the thread that changed it.
  TraceHub(output::WallClock clock, std::function<void()> changed)
      : clock_(std::move(clock)), changed_(std::move(changed)) {}

  bool is_wanted();

  void set_file(output::TraceFile* file);  // null: none; outlives its use here
  // Which driver a callout belongs to; asked on the stack's thread, once for each callout.
  void set_driver_lookup(std::function<std::string(std::uint32_t callout_id)> lookup) { lookup_ = std::move(lookup); }
  // `layer`: its full name; empty: every layer.
  std::shared_ptr<TraceListener> listen(std::string layer, std::function<void()> changed);
  void leave(const std::shared_ptr<TraceListener>& listener);

  void classified(const shim::TraceRecord& record) override;

 private:
  bool is_wanted_locked() const { return file_ != nullptr || !listeners_.empty(); }
  const std::string& driver_of(std::uint32_t callout_id);

  const output::WallClock clock_;
  std::function<void()> changed_;
  std::function<std::string(std::uint32_t)> lookup_;
  std::vector<std::pair<std::uint32_t, std::string>> drivers_;  // of callouts seen; the stack's thread only
  std::mutex mutex_;
  output::TraceFile* file_ = nullptr;
  std::vector<std::shared_ptr<TraceListener>> listeners_;
};

}  // namespace app::control
