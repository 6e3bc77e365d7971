// The end of injections that the stack is done with, on the processor's thread.
#include <algorithm>

#include "nt/ntstatus.h"
#include "wfp/engine/classify.hpp"
#include "wfp/inject/injections.hpp"
#include "wfp/kernel/irql.hpp"
#include "wfp/ledger/driver_call.hpp"
#include "wfp/ndis/chain.hpp"

namespace wfp::inject {

std::size_t Injections::run_completions() {
  if (engine::current_classify() != nullptr) return 0;
  std::size_t completed = 0;
  for (std::size_t left = tickets_.done_count(); left > 0; --left) {
    Ticket* const ticket = tickets_.next_done();
    if (ticket == nullptr) break;
    complete(*ticket);
    ++completed;
  }
  return completed;
}

// The ticket goes back before the call, since the driver may inject the packet again; the handle counts until after
// it.
void Injections::complete(Ticket& ticket) {
  NET_BUFFER_LIST& nbl = *ticket.request.nbl;
  ndis::revive(nbl);
  ndis::restore_layout(nbl);
  ndis::exchange_release_handler(nbl, nullptr);
  ndis::injection_mark(nbl) = ticket.mark_before;
  DirectionCounters& counter = counters(ticket.request.path);
  counter.completed.fetch_add(1, std::memory_order_relaxed);
  if (!NT_SUCCESS(nbl.Status)) counter.failed.fetch_add(1, std::memory_order_relaxed);
  ledger::release(ledger::Kind::injection, &nbl);

  const HandleValue handle = ticket.handle;
  const FWPS_INJECT_COMPLETE0 completion = ticket.completion;
  const HANDLE context = ticket.completion_context;
  const ledger::DriverId driver = ticket.driver;
  tickets_.give_back(ticket);
  {
    const ledger::DriverScope scope(driver);
    const kernel::IrqlScope irql(std::max<KIRQL>(kernel::current_irql(), DISPATCH_LEVEL));
    const ledger::DriverCall under_way(ledger::CallKind::Completion);
    completion(context, &nbl, TRUE);
  }
  handles_.finished(handle);
}

}  // namespace wfp::inject
