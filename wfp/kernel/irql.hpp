// Raising and lowering the calling thread's interrupt request level, which wfp/ledger/irql.hpp keeps and checks.
#pragma once

#include "wfp/ledger/irql.hpp"

namespace wfp::kernel {

using ledger::assert_irql_at_least;
using ledger::assert_irql_at_most;
using ledger::irql_name;

inline KIRQL current_irql() { return ledger::running_irql; }
inline void set_irql(KIRQL level) { ledger::running_irql = level; }  // without a check: to put a level back
KIRQL raise_irql(KIRQL level);                                       // returns the level before; lowering is reported
void lower_irql(KIRQL level);                                        // raising by it is reported

// When code of a driver has returned to us: reports a level other than `level`, which is put back, and a spin lock
// that is still held. `who` names what returned.
void check_returned(const char* who, KIRQL level);

// Raises for a block, for example around a DPC routine or a classify.
class IrqlScope {
 public:
  explicit IrqlScope(KIRQL level) : previous_(current_irql()) { set_irql(level); }
  ~IrqlScope() { set_irql(previous_); }
  IrqlScope(const IrqlScope&) = delete;
  IrqlScope& operator=(const IrqlScope&) = delete;

 private:
  KIRQL previous_;
};

}  // namespace wfp::kernel
