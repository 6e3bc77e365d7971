#include "wfp/ledger/irql.hpp"

#include "wfp/ledger/rules.hpp"
#include "wfp/ledger/violation.hpp"

namespace wfp::ledger {
namespace {

void report_level(const char* routine, const char* allowed, KIRQL level, const char* tail) {
  Violation violation;
  violation.rule = rule::kIrql;
  violation.message = std::string(routine) + " was called at " + irql_name(running_irql) + allowed + irql_name(level);
  violation.message += tail;
  report(std::move(violation));
}

}  // namespace

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

bool assert_irql_at_most(KIRQL level, const char* routine) {
  if (running_irql <= level) [[likely]]
    return true;
  report_level(routine, "; it may be called at ", level, " at most");
  return false;
}

bool assert_irql_at_least(KIRQL level, const char* routine) {
  if (running_irql >= level) [[likely]]
    return true;
  report_level(routine, "; it needs ", level, "");
  return false;
}

}  // namespace wfp::ledger
