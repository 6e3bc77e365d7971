#include "wfp/ledger/violation.hpp"

#include <execinfo.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <utility>

namespace wfp::ledger {
namespace {

struct Book {
  std::mutex mutex;
  std::vector<Violation> kept;
  Sink sink;
  std::atomic<std::uint64_t> reports{0};
};

Book& book() {
  static Book* const instance = new Book;  // never destroyed, as the ledger's state
  return *instance;
}

bool same(const Violation& a, const Violation& b) {
  return a.driver == b.driver && a.rule == b.rule && a.message == b.message;
}

}  // namespace

void report(Violation violation) {
  if (level() == Level::off) return;
  if (violation.driver == kNoDriver) violation.driver = current_driver();
  if (violation.stack.empty() && level() == Level::full) violation.stack = capture_stack();
  auto& all = book();
  all.reports.fetch_add(1, std::memory_order_relaxed);
  Sink sink;
  {
    const std::lock_guard lock(all.mutex);
    const auto known = std::find_if(all.kept.begin(), all.kept.end(),
                                    [&](const Violation& other) { return same(other, violation); });
    if (known != all.kept.end()) {
      ++known->count;
      return;
    }
    if (all.kept.size() == kViolationLimit) return;
    all.kept.push_back(violation);
    sink = all.sink;
  }
  if (sink) sink(violation);
}

void set_sink(Sink sink) {
  auto& all = book();
  const std::lock_guard lock(all.mutex);
  all.sink = std::move(sink);
}

std::vector<Violation> violations() {
  auto& all = book();
  const std::lock_guard lock(all.mutex);
  return all.kept;
}

std::uint64_t violation_count() { return book().reports.load(std::memory_order_relaxed); }

void clear_violations() {
  auto& all = book();
  const std::lock_guard lock(all.mutex);
  all.kept.clear();
  all.reports.store(0, std::memory_order_relaxed);
}

std::vector<void*> capture_stack() {
  std::array<void*, kStackDepth + 1> frames{};
  const int depth = backtrace(frames.data(), static_cast<int>(frames.size()));
  if (depth <= 1) return {};
  return {frames.begin() + 1, frames.begin() + depth};  // without this function
}

std::vector<std::string> describe_stack(const std::vector<void*>& stack) {
  std::vector<std::string> lines;
  if (stack.empty()) return lines;
  char** const symbols = backtrace_symbols(stack.data(), static_cast<int>(stack.size()));
  if (symbols == nullptr) return lines;
  lines.assign(symbols, symbols + stack.size());
  std::free(symbols);
  return lines;
}

}  // namespace wfp::ledger
