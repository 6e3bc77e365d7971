// Two places where the program touches the callout side of a node: taking an unloaded driver out of it, and finding
// the discard observer that the shim is. Apart, because their headers bring the Windows names.
#pragma once

#include "src/node/system.hpp"
#include "stack/hooks/discard.hpp"

namespace wfp::kernel {
class Driver;
}

namespace app {

// After DriverUnload: what the driver left pended is denied, its injection handles, registrations and filters go;
// each is named as a violation. Any thread but the stack's.
void remove_from_engine(node::System& system, const wfp::kernel::Driver& driver);

stack::DiscardObserver* discard_observer_of(node::System& system);

}  // namespace app
