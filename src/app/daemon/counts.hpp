// What the report counts, and `show status` too. Functions that take the System run on the stack's thread; the others
// on any.
#pragma once

#include "src/app/control/message.hpp"
#include "src/app/daemon/violation_log.hpp"
#include "src/app/output/report.hpp"
#include "src/node/system.hpp"

namespace app {

control::Json packet_counts(node::System& system);

// Fills layers, injections, pended and packets.
void collect_counts(node::System& system, output::Report& report);
// Fills violations and notes.
void collect_violations(const ViolationLog& log, output::Report& report);

}  // namespace app
