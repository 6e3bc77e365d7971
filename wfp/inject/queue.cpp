// From the queue of accepted injections to the host, on the processor's thread.
#include "wfp/engine/classify.hpp"
#include "wfp/inject/injections.hpp"
#include "wfp/inject/split.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/ledger/rules.hpp"
#include "wfp/ledger/violation.hpp"
#include "wfp/ndis/chain.hpp"

namespace wfp::inject {
namespace {

// From a call that succeeded until the completion function the packet is the stack's. What was moved is put back.
void check_unchanged(const Ticket& ticket) {
  NET_BUFFER_LIST& nbl = *ticket.request.nbl;
  if (ndis::is_as_saved(nbl)) return;
  ledger::report({.rule = ledger::rule::kInjectChanged,
                  .message = std::string(ticket.function) +
                             ": the packet's data start or length changed after the call had succeeded. It is the "
                             "stack's until the completion function: retreat and advance before the call.",
                  .packet = {},
                  .stack = {},
                  .object = kernel::text("NET_BUFFER_LIST %p", static_cast<void*>(&nbl)),
                  .kind = ledger::Kind::injection,
                  .about = &nbl});
  ndis::restore_layout(nbl);
  ndis::save_layout(nbl);
}

void report_loop(const Ticket& ticket, std::string packet) {
  ledger::report({.rule = ledger::rule::kInjectLoop,
                  .message = kernel::text(
                      "%s: the packet and what it was cloned from were injected %u times; it goes round and is "
                      "dropped. Ask FwpsQueryPacketInjectionState0 first, and permit what is "
                      "FWPS_PACKET_INJECTED_BY_SELF or FWPS_PACKET_PREVIOUSLY_INJECTED_BY_SELF",
                      ticket.function, kMaxHops),
                  .packet = std::move(packet),
                  .stack = {}});
}

}  // namespace

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

// In the driver's name, for what is wrong with the packet.
void Injections::hand_over(Ticket& ticket) {
  const ledger::DriverScope scope(ticket.driver);
  NET_BUFFER_LIST& nbl = *ticket.request.nbl;
  check_unchanged(ticket);
  if (ndis::injection_mark(nbl).hops > kMaxHops) {
    too_many_hops_.fetch_add(1, std::memory_order_relaxed);
    report_loop(ticket, host_.describe(ticket.request));
    host_.drop_looping(ticket.request);
    return;
  }
  if (nbl.FirstNetBuffer->Next != nullptr)
    inject_each_buffer(host_, ticket.request);
  else
    host_.inject(ticket.request);
}

}  // namespace wfp::inject
