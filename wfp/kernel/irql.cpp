#include "wfp/kernel/irql.hpp"

#include <atomic>

#include "wfp/kernel/report.hpp"

namespace wfp::kernel {

std::uint32_t current_thread_number() {
  static std::atomic<std::uint32_t> last{0};
  if (thread_state.id == 0) thread_state.id = last.fetch_add(1, std::memory_order_relaxed) + 1;
  return thread_state.id;
}

const char* irql_name(KIRQL level) {
  switch (level) {
    case PASSIVE_LEVEL:
      return "PASSIVE_LEVEL";
    case APC_LEVEL:
      return "APC_LEVEL";
    case DISPATCH_LEVEL:
      return "DISPATCH_LEVEL";
    case HIGH_LEVEL:
      return "HIGH_LEVEL";
    default:
      return "a device level";
  }
}

KIRQL raise_irql(KIRQL level) {
  const KIRQL before = thread_state.irql;
  if (level < before)
    report_violation(rule::kIrql, text("KeRaiseIrql to %s from %s lowers the level; use KeLowerIrql",
                                       irql_name(level), irql_name(before)));
  thread_state.irql = level;
  return before;
}

void lower_irql(KIRQL level) {
  if (level > thread_state.irql)
    report_violation(rule::kIrql, text("KeLowerIrql to %s from %s raises the level; was the saved level overwritten?",
                                       irql_name(level), irql_name(thread_state.irql)));
  thread_state.irql = level;
}

bool assert_irql_at_most(KIRQL level, const char* routine) {
  if (thread_state.irql <= level) [[likely]]
    return true;
  report_violation(rule::kIrql, text("%s was called at %s; it may be called at %s at most", routine,
                                     irql_name(thread_state.irql), irql_name(level)));
  return false;
}

bool assert_irql_at_least(KIRQL level, const char* routine) {
  if (thread_state.irql >= level) [[likely]]
    return true;
  report_violation(rule::kIrql,
                   text("%s was called at %s; it needs %s", routine, irql_name(thread_state.irql), irql_name(level)));
  return false;
}

}  // namespace wfp::kernel
