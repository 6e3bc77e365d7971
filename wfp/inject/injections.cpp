#include "wfp/inject/injections.hpp"

#include "nt/ntstatus.h"
#include "wfp/engine/classify.hpp"
#include "wfp/inject/check_call.hpp"
#include "wfp/inject/refusal.hpp"
#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/ledger/rules.hpp"
#include "wfp/ledger/violation.hpp"
#include "wfp/ndis/chain.hpp"
#include "ws2def.h"

namespace wfp::inject {
namespace {

std::atomic<Injections*> the_injections{nullptr};

constexpr unsigned kMaxIdlePasses = 3;  // without progress, while the processor's thread destroys a handle

}  // namespace

Injections::Injections(Host& host, kernel::Scheduler& scheduler, std::uint64_t key, unsigned processor)
    : host_(host), scheduler_(scheduler), handles_(scheduler, processor), tickets_(host), ip_headers_(key) {
  the_injections.store(this);
}

Injections::~Injections() {
  Injections* self = this;
  the_injections.compare_exchange_strong(self, nullptr);
}

Injections* Injections::current() { return the_injections.load(std::memory_order_acquire); }

// --- calls of drivers ---

NTSTATUS Injections::refuse(Injection injection, NTSTATUS status, const std::string& why) {
  counters(injection.request.path).refused.fetch_add(1, std::memory_order_relaxed);
  if (why.empty()) return remember_refusal(injection, status);  // a rule of its own has named it
  if (injection.request.nbl != nullptr) injection.packet = host_.describe(injection.request);
  return report_refusal(injection, status, why);
}

NTSTATUS Injections::inject(Injection injection) {
  std::string why;
  if (const NTSTATUS status = check_call(injection, why); status != STATUS_SUCCESS)
    return refuse(std::move(injection), status, why);
  const std::uint16_t family = injection.request.address_family;
  if (const NTSTATUS status = handles_.begin(injection.handle, injection.type, family); status != STATUS_SUCCESS)
    return refuse(std::move(injection), status, handles_.why_not(injection.handle, injection.type, family));
  Ticket* const ticket = tickets_.take();
  if (ticket == nullptr) {
    handles_.finished(injection.handle);
    return refuse(
        std::move(injection), STATUS_INSUFFICIENT_RESOURCES,
        kernel::text("%zu injections are under way, or %zu wait for the stack", kMaxInjections, kMaxRequests));
  }
  if (!ndis::set_release_handler(*injection.request.nbl, *ticket)) {
    tickets_.give_back(*ticket);
    handles_.finished(injection.handle);
    ledger::report({.rule = ledger::rule::kInjectTwice,
                    .message = kernel::text("%s: the NET_BUFFER_LIST is being injected already. Inject it again only "
                                            "after its completion function was called.",
                                            injection.function),
                    .packet = {},
                    .stack = {},
                    .kind = ledger::Kind::injection,
                    .about = injection.request.nbl});
    return refuse(std::move(injection), STATUS_INVALID_PARAMETER, "");
  }
  accept(injection, *ticket);
  counters(injection.request.path).accepted.fetch_add(1, std::memory_order_relaxed);
  tickets_.request(*ticket);
  return STATUS_SUCCESS;
}

// From here on the packet is ours until its completion function has run.
void Injections::accept(const Injection& injection, Ticket& ticket) {
  NET_BUFFER_LIST& nbl = *injection.request.nbl;
  ticket.function = injection.function;
  ticket.request = injection.request;
  ticket.handle = injection.handle;
  ticket.completion = injection.completion;
  ticket.completion_context = injection.completion_context;
  ticket.driver = ledger::current_driver();
  ticket.mark_before = ndis::injection_mark(nbl);
  ndis::injection_mark(nbl) = {injection.handle, injection.context, ticket.mark_before.hops + 1};
  nbl.Status = STATUS_SUCCESS;
  ndis::save_layout(nbl);
  if (injection.request.path == InjectPath::TransportSend && injection.request.endpoint == 0)
    zero_endpoint_.fetch_add(1, std::memory_order_relaxed);
  ledger::acquire(ledger::Kind::injection, &nbl, injection.function);
}

FWPS_PACKET_INJECTION_STATE Injections::state(HandleValue handle, const NET_BUFFER_LIST& nbl,
                                              std::uint64_t* context) const {
  if (context != nullptr) *context = 0;
  if (!handles_.exists(handle)) return FWPS_PACKET_NOT_INJECTED;
  const auto found = [&](const ndis::InjectionMark& mark) {
    if (mark.handle != handle) return false;
    if (context != nullptr) *context = mark.context;
    return true;
  };
  auto* packet = const_cast<NET_BUFFER_LIST*>(&nbl);
  const ndis::InjectionMark& own = ndis::injection_mark(*packet);
  if (found(own)) return FWPS_PACKET_INJECTED_BY_SELF;
  // What it was cloned from is kept alive, with its mark, while the clone lives.
  while ((packet = packet->ParentNetBufferList) != nullptr)
    if (found(ndis::injection_mark(*packet))) return FWPS_PACKET_PREVIOUSLY_INJECTED_BY_SELF;
  return own.handle != 0 ? FWPS_PACKET_INJECTED_BY_OTHER : FWPS_PACKET_NOT_INJECTED;
}

NTSTATUS Injections::destroy(HandleValue handle) {
  if (!handles_.close(handle)) return STATUS_FWP_INJECT_HANDLE_STALE;
  if (host_.on_processor_thread()) {
    if (!drain_until_idle(handle)) {
      handles_.reopen(handle);
      return STATUS_FWP_IN_USE;
    }
  } else {
    handles_.wait_until_idle(handle);
  }
  handles_.erase(handle);
  return STATUS_SUCCESS;
}

bool Injections::drain_until_idle(HandleValue handle) {
  for (unsigned idle_passes = 0; handles_.outstanding(handle) != 0 && idle_passes < kMaxIdlePasses;) {
    bool moved = drain() != 0;
    if (progress_ && engine::current_classify() == nullptr) moved = progress_() || moved;
    moved = run_completions() != 0 || moved;
    idle_passes = moved ? 0 : idle_passes + 1;
  }
  return handles_.outstanding(handle) == 0;
}

std::size_t Injections::destroy_all_of(ledger::DriverId driver) {
  const auto left = handles_.handles_of(driver);
  for (const HandleValue handle : left) destroy(handle);
  return left.size();
}

InjectionCounts Injections::counts() const {
  const auto read = [](const DirectionCounters& from) {
    return InjectionCounts::Direction{from.accepted.load(), from.completed.load(), from.failed.load(),
                                      from.refused.load()};
  };
  return {.inbound = read(inbound_),
          .outbound = read(outbound_),
          .zero_endpoint = zero_endpoint_.load(),
          .too_many_hops = too_many_hops_.load(),
          .in_flight = tickets_.in_use()};
}

}  // namespace wfp::inject
