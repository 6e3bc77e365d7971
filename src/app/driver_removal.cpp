#include "src/app/driver_removal.hpp"

#include "src/shim/shim.hpp"
#include "wfp/ale/pend.hpp"
#include "wfp/engine/engine.hpp"
#include "wfp/inject/injections.hpp"
#include "wfp/kernel/driver_object.hpp"

namespace app {

void remove_from_engine(node::System& system, const wfp::kernel::Driver& driver) {
  if (auto* pends = wfp::ale::Pends::current()) pends->complete_all_of(driver.id());
  system.engine().remove_driver(driver.id());
  if (auto* injections = wfp::inject::Injections::current()) injections->destroy_all_of(driver.id());
}

stack::DiscardObserver* discard_observer_of(node::System& system) { return &system.shim(); }

}  // namespace app
