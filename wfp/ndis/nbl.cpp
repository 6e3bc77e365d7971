#include "wfp/ndis/nbl.hpp"

#include "wfp/ledger/rules.hpp"
#include "wfp/ledger/violation.hpp"
#include "wfp/ndis/packet_objects.hpp"

namespace wfp::ndis {

std::uint32_t reference(NET_BUFFER_LIST& nbl) noexcept {
  return object_of(nbl).references.fetch_add(1, std::memory_order_relaxed) + 1;
}

void release(NET_BUFFER_LIST& nbl) noexcept {
  NblObject& object = object_of(nbl);
  auto count = object.references.load(std::memory_order_relaxed);
  do {
    if (count == 0) {
      ledger::report({.rule = ledger::rule::kNblOverRelease,
                      .message =
                          "NET_BUFFER_LIST released although its reference count is 0. Each reference, clone and "
                          "allocation is given back once.",
                      .packet = {},
                      .stack = {},
                      .kind = ledger::Kind::nbl_reference,
                      .about = &nbl});
      return;
    }
  } while (!object.references.compare_exchange_weak(count, count - 1, std::memory_order_acq_rel,
                                                    std::memory_order_relaxed));
  if (count != 1) return;
  if (ReleaseHandler* const handler = object.handler.load(std::memory_order_acquire))
    handler->on_last_release(nbl);
  else
    destroy(object);
}

std::uint32_t reference_count(const NET_BUFFER_LIST& nbl) noexcept {
  return object_of(nbl).references.load(std::memory_order_acquire);
}

ReleaseHandler* exchange_release_handler(NET_BUFFER_LIST& nbl, ReleaseHandler* handler) noexcept {
  return object_of(nbl).handler.exchange(handler, std::memory_order_acq_rel);
}

bool set_release_handler(NET_BUFFER_LIST& nbl, ReleaseHandler& handler) noexcept {
  ReleaseHandler* none = nullptr;
  return object_of(nbl).handler.compare_exchange_strong(none, &handler, std::memory_order_acq_rel);
}

bool report_if_in_flight(const NET_BUFFER_LIST& nbl) noexcept {
  if (object_of(nbl).handler.load(std::memory_order_acquire) == nullptr) return false;
  ledger::report({.rule = ledger::rule::kInjectFreeInFlight,
                  .message = "NET_BUFFER_LIST freed while its injection has not completed. Free it in the completion "
                             "function.",
                  .packet = {},
                  .stack = {},
                  .kind = ledger::Kind::injection,
                  .about = &nbl});
  return true;
}

void revive(NET_BUFFER_LIST& nbl) noexcept { object_of(nbl).references.store(1, std::memory_order_relaxed); }

void* owner_area(NET_BUFFER_LIST& nbl) noexcept { return object_of(nbl).owner_area; }
InjectionMark& injection_mark(NET_BUFFER_LIST& nbl) noexcept { return object_of(nbl).mark; }
Origin origin(const NET_BUFFER_LIST& nbl) noexcept { return object_of(nbl).origin; }

}  // namespace wfp::ndis
