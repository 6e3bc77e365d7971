#include "wfp/kernel/irql.hpp"

#include "wfp/kernel/report.hpp"
#include "wfp/kernel/spin_lock.hpp"
#include "wfp/ledger/rules.hpp"

namespace wfp::kernel {

KIRQL raise_irql(KIRQL level) {
  const KIRQL before = current_irql();
  if (level < before)
    report_violation(ledger::rule::kIrql, text("KeRaiseIrql to %s from %s lowers the level; use KeLowerIrql",
                                               irql_name(level), irql_name(before)));
  set_irql(level);
  return before;
}

void lower_irql(KIRQL level) {
  const KIRQL before = current_irql();
  if (level > before)
    report_violation(ledger::rule::kIrql,
                     text("KeLowerIrql to %s from %s raises the level; was the saved level overwritten?",
                          irql_name(level), irql_name(before)));
  set_irql(level);
}

void check_returned(const char* who, KIRQL level) {
  if (const KSPIN_LOCK* held = held_spin_lock(); held != nullptr)
    report_violation(ledger::rule::kLockHeld, text("%s returned with spin lock %p held; release it on every path",
                                                   who, static_cast<const void*>(held)));
  if (current_irql() == level) return;
  report_violation(ledger::rule::kIrqlLeak,
                   text("%s returned at %s; it must return at %s", who, irql_name(current_irql()), irql_name(level)));
  set_irql(level);
}

}  // namespace wfp::kernel
