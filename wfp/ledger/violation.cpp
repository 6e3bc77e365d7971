#include "wfp/ledger/violation.hpp"

#include <execinfo.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <utility>

namespace wfp::ledger {
namespace {

std::atomic<std::string (*)()> describe_packet{nullptr};
std::atomic<std::string (*)()> describe_callout{nullptr};

std::string ask(const std::atomic<std::string (*)()>& describer) {
  auto* const function = describer.load(std::memory_order_relaxed);
  return function != nullptr ? function() : std::string();
}

struct Kept {
  std::string message;  // as reported, without the object
  Violation violation;
};

struct List {
  std::vector<Kept> kept;
  std::atomic<std::uint64_t> reports{0};
};

struct Book {
  std::mutex mutex;
  List violations, notes;
  Sink sink;
};

Book& book() {
  static Book* const instance = new Book;  // never destroyed, as the ledger's state
  return *instance;
}

// With the lock held. False: nothing equal is kept.
bool count_again(List& list, const Violation& violation) {
  const auto known = std::find_if(list.kept.begin(), list.kept.end(), [&](const Kept& kept) {
    return kept.violation.driver == violation.driver && kept.violation.rule == violation.rule &&
           kept.message == violation.message && kept.violation.places == violation.places;
  });
  if (known == list.kept.end()) return false;
  ++known->violation.count;
  return true;
}

void locate(Violation& violation) {
  if (!violation.places.empty()) return;
  if (violation.stack.empty() && level() == Level::full) violation.stack = capture_stack();
  if (violation.stack.empty())
    if (void* const caller = calling_address()) violation.stack.push_back(caller);
  violation.places = places_of_calls(violation.stack);
}

// Without a lock: the describers are not ours.
void put_in_words(Violation& violation) {
  if (violation.callout.empty()) violation.callout = current_callout();
  if (violation.about != nullptr && violation.origins.empty())
    violation.origins = history_of(violation.kind, violation.about);
  if (violation.packet.empty()) violation.packet = current_packet();
  if (!violation.object.empty()) violation.message += " (" + violation.object + ")";
}

void keep(List& list, Violation violation) {
  if (level() == Level::off) return;
  if (violation.driver == kNoDriver) violation.driver = current_driver();
  locate(violation);
  auto& all = book();
  list.reports.fetch_add(1, std::memory_order_relaxed);
  {
    const std::lock_guard lock(all.mutex);
    if (count_again(list, violation) || list.kept.size() == kViolationLimit) return;
  }
  Violation shown = violation;
  put_in_words(shown);
  Sink sink;
  {
    const std::lock_guard lock(all.mutex);
    if (count_again(list, violation) || list.kept.size() == kViolationLimit) return;  // another thread was faster
    list.kept.push_back({std::move(violation.message), shown});
    sink = all.sink;
  }
  if (sink) sink(shown);
}

std::vector<Violation> content_of(const List& list) {
  const std::lock_guard lock(book().mutex);
  std::vector<Violation> result;
  result.reserve(list.kept.size());
  for (const Kept& kept : list.kept) result.push_back(kept.violation);
  return result;
}

}  // namespace

void report(Violation violation) { keep(book().violations, std::move(violation)); }

void note(Violation note) {
  note.is_note = true;
  keep(book().notes, std::move(note));
}

void set_packet_describer(std::string (*packet)()) { describe_packet.store(packet, std::memory_order_relaxed); }

void set_callout_describer(std::string (*callout)()) { describe_callout.store(callout, std::memory_order_relaxed); }

std::string current_packet() { return ask(describe_packet); }
std::string current_callout() { return ask(describe_callout); }

void set_sink(Sink sink) {
  auto& all = book();
  const std::lock_guard lock(all.mutex);
  all.sink = std::move(sink);
}

std::vector<Violation> violations() { return content_of(book().violations); }
std::uint64_t violation_count() { return book().violations.reports.load(std::memory_order_relaxed); }
std::vector<Violation> notes() { return content_of(book().notes); }
std::uint64_t note_count() { return book().notes.reports.load(std::memory_order_relaxed); }

void clear_violations() {
  auto& all = book();
  const std::lock_guard lock(all.mutex);
  for (List* const list : {&all.violations, &all.notes}) {
    list->kept.clear();
    list->reports.store(0, std::memory_order_relaxed);
  }
}

std::vector<void*> capture_stack() {
  std::array<void*, kStackDepth + 1> frames{};
  const int depth = backtrace(frames.data(), static_cast<int>(frames.size()));
  if (depth <= 1) return {};
  // In parentheses: a list of two iterators would be taken for two frames.
  return std::vector<void*>(frames.begin() + 1, frames.begin() + depth);  // without this function
}

}  // namespace wfp::ledger
