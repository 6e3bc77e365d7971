// The calling thread's interrupt request level. It is bookkeeping: nothing is masked here, but waits, pool and
// callouts check it as Windows does, so that a call at the wrong level is named with the routine and both levels.
#pragma once

#include "wfp/kernel/thread_state.hpp"

namespace wfp::kernel {

const char* irql_name(KIRQL level);

inline KIRQL current_irql() { return thread_state.irql; }
KIRQL raise_irql(KIRQL level);  // returns the level before; lowering by it is reported
void lower_irql(KIRQL level);   // raising by it is reported

// False, and a violation that names `routine`, when the thread runs above `level`. At most one compare when all is
// well.
bool assert_irql_at_most(KIRQL level, const char* routine);
bool assert_irql_at_least(KIRQL level, const char* routine);

// Raises for a block, for example around a DPC routine or a classify.
class IrqlScope {
 public:
  explicit IrqlScope(KIRQL level) : previous_(thread_state.irql) { thread_state.irql = level; }
  ~IrqlScope() { thread_state.irql = previous_; }
  IrqlScope(const IrqlScope&) = delete;
  IrqlScope& operator=(const IrqlScope&) = delete;

 private:
  KIRQL previous_;
};

}  // namespace wfp::kernel
