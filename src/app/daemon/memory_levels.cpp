#include "src/app/daemon/memory_levels.hpp"

#include "stack/base/account.hpp"
#include "stack/core/stack.hpp"

namespace app {
namespace {

using control::Json;
using stack::Use;

constexpr stack::Duration kInterval = std::chrono::seconds{1};
constexpr unsigned kQuietLooks = 10;  // until the pressure counts as over

std::string mebibytes(std::size_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

std::uint64_t all_refused(const stack::Account& account) {
  std::uint64_t sum = 0;
  for (std::size_t use = 0; use < stack::kUseCount; ++use) sum += account.level(static_cast<Use>(use)).refused;
  return sum;
}

std::string held_text(const stack::Account& account) {
  std::string text;
  for (std::size_t use = 0; use < stack::kUseCount; ++use)
    if (const auto held = account.held(static_cast<Use>(use)); held != 0)
      text += (text.empty() ? "" : ", ") + std::string(stack::name_of(static_cast<Use>(use))) + " " + mebibytes(held);
  return text;
}

}  // namespace

Json memory_levels(node::System& system) {
  const stack::Account& account = system.stack().memory();
  Json uses = Json::object();
  for (std::size_t i = 0; i < stack::kUseCount; ++i) {
    const auto level = account.level(static_cast<Use>(i));
    uses[std::string(stack::name_of(static_cast<Use>(i)))] = {
        {"held", level.held}, {"most", level.most}, {"high_water", level.high_water}, {"refused", level.refused}};
  }
  const auto send = system.stack().send_memory();
  return {{"receive",
           {{"limit", account.limit()},
            {"reserve", account.reserve()},
            {"held", account.held()},
            {"pruned", account.pruned()},
            {"uses", uses}}},
          {"send", {{"limit", send.limit}, {"held", send.held}}}};
}

Json link_counts(const node::LinkCounts& counts) {
  return {{"received_in_place", counts.received_in_place}, {"received_copied", counts.received_copied},
          {"reserve_exhausted", counts.reserve_exhausted}, {"receive_no_memory", counts.receive_no_memory},
          {"receive_malformed", counts.receive_malformed}, {"transmit_refused", counts.transmit_refused},
          {"transmit_failed", counts.transmit_failed}};
}

void collect_memory(node::System& system, const node::LinkCounts& counts, output::Report& report) {
  const stack::Account& account = system.stack().memory();
  report.memory.limit = account.limit();
  report.memory.pruned = account.pruned();
  for (std::size_t i = 0; i < stack::kUseCount; ++i) {
    const auto level = account.level(static_cast<Use>(i));
    report.memory.uses[std::string(stack::name_of(static_cast<Use>(i)))] = {level.held, level.high_water,
                                                                            level.refused};
  }
  report.memory.frames_refused = counts.receive_no_memory;
  report.memory.send_limit = system.stack().send_memory().limit;
  report.memory.send_held = system.stack().send_memory().held;
}

MemoryWatch::MemoryWatch(node::System& system, stack::LogSink& log) : system_(system), log_(log) { schedule(); }
MemoryWatch::~MemoryWatch() { system_.cancel(timer_); }

void MemoryWatch::schedule() {
  timer_ = system_.call_at(system_.now() + kInterval, [this] { look(); });
}

void MemoryWatch::look() {
  const stack::Account& account = system_.stack().memory();
  const std::uint64_t pruned = account.pruned(), refused = all_refused(account);
  const bool is_quiet = pruned == pruned_ && refused == refused_;
  quiet_looks_ = is_quiet ? quiet_looks_ + 1 : 0;
  if (!is_quiet && !is_full_) {
    is_full_ = true;
    log_.write(stack::LogLevel::Warning, "memory",
               "no room for some of what is received: of " + mebibytes(account.limit()) + " hold " +
                   held_text(account) + "; what came out of order goes first");
  } else if (is_full_ && quiet_looks_ >= kQuietLooks) {
    is_full_ = false;
    log_.write(stack::LogLevel::Info, "memory",
               "what is received fits again; given up so far: " + std::to_string(pruned) + " bytes out of order, " +
                   std::to_string(refused) + " packets refused");
  }
  pruned_ = pruned;
  refused_ = refused;
  schedule();
}

}  // namespace app
