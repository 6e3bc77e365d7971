// From the queue of accepted injections to the host, on the processor's thread.
#include "wfp/engine/classify.hpp"
#include "wfp/inject/injections.hpp"
#include "wfp/inject/split.hpp"
#include "wfp/ledger/ledger.hpp"

namespace wfp::inject {

// Those queued at entry: what an injection causes to be injected waits for the next turn.
std::size_t Injections::drain() {
  if (engine::current_classify() != nullptr) return 0;
  std::size_t handed = 0;
  for (std::size_t left = tickets_.request_count(); left > 0; --left) {
    Ticket* const ticket = tickets_.next_request();
    if (ticket == nullptr) break;
    hand_over(*ticket);
    ++handed;
  }
  return handed;
}

// In the driver's name, for what the host finds wrong with the packet.
void Injections::hand_over(Ticket& ticket) {
  const ledger::DriverScope scope(ticket.driver);
  NET_BUFFER_LIST& nbl = *ticket.request.nbl;
  if (ndis::injection_mark(nbl).hops > kMaxHops) {
    too_many_hops_.fetch_add(1, std::memory_order_relaxed);
    nbl.Status = kTooManyHopsStatus;
    ndis::release(nbl);  // ends in the ticket, like everything else
    return;
  }
  if (nbl.FirstNetBuffer->Next != nullptr)
    inject_each_buffer(host_, ticket.request);
  else
    host_.inject(ticket.request);
}

}  // namespace wfp::inject
