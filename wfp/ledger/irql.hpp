// The calling thread's interrupt request level, and the check that every documented function makes of it. It is
// bookkeeping: nothing is masked here, but a call at the wrong level is named with the routine and both levels, where
// Windows would stop or, worse, go on. It lives beside the scope that says whose code runs, because the functions of
// wfp/ndis, wfp/kernel and wfp/api all ask it.
#pragma once

#include <string>
#include <string_view>

#include "nt/ke.h"

namespace wfp::ledger {

inline thread_local KIRQL running_irql = PASSIVE_LEVEL;

const char* irql_name(KIRQL level);

// False, and a violation that names `routine`, when the thread runs above (below) `level`. One compare when all is
// well.
bool assert_irql_at_most(KIRQL level, const char* routine);
bool assert_irql_at_least(KIRQL level, const char* routine);

}  // namespace wfp::ledger
