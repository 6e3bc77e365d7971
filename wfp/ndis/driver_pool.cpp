#include "wfp/ndis/driver_pool.hpp"

#include <cstdlib>
#include <new>
#include <string>

#include "wfp/ledger/violation.hpp"
#include "wfp/ndis/pool_core.hpp"

namespace wfp::ndis {

DriverPool* pool_of(NDIS_HANDLE handle) {
  auto* const pool = static_cast<DriverPool*>(handle);
  return pool != nullptr && pool->magic == DriverPool::kMagic ? pool : nullptr;
}

NblPool* pool_or_shared(NDIS_HANDLE handle) {
  if (handle == nullptr) return &shared_pool();
  DriverPool* const pool = pool_of(handle);
  return pool != nullptr ? &pool->pool : nullptr;
}

bool allocate_context(NET_BUFFER_LIST& nbl, USHORT size, USHORT back_fill) {
  const std::size_t bytes = std::size_t{size} + back_fill;
  if (bytes == 0) return true;
  void* const memory = std::calloc(1, sizeof(NET_BUFFER_LIST_CONTEXT) + bytes);
  if (memory == nullptr) return false;
  auto* const context = new (memory) NET_BUFFER_LIST_CONTEXT{};
  context->Size = static_cast<USHORT>(bytes);
  context->Offset = back_fill;
  context->ContextData = reinterpret_cast<UCHAR*>(context + 1);
  object_of(nbl).context_memory = memory;
  nbl.Context = context;
  return true;
}

NET_BUFFER_LIST* allocate_for_driver(NblPool& pool, USHORT context_size, USHORT context_back_fill, MDL* chain,
                                     ULONG data_offset, SIZE_T data_length) {
  Slot* const slot = pool.core().allocate_slot(false, Origin::driver);
  if (slot == nullptr) return nullptr;
  NET_BUFFER_LIST& nbl = slot->nbl.nbl;
  if (!allocate_context(nbl, context_size, context_back_fill)) {
    pool.core().count_failure();
    release(nbl);
    return nullptr;
  }
  attach_chain(slot->nb.nb, chain, data_offset, data_length);
  return &nbl;
}

bool free_for_driver(NET_BUFFER_LIST& nbl) {
  if (object_of(nbl).handler.load(std::memory_order_acquire) != nullptr) {
    ledger::report({.rule = "INJ-FREE-IN-FLIGHT",
                    .message =
                        "NET_BUFFER_LIST freed while its injection has not completed. Free it in the completion "
                        "function.",
                    .packet = {},
                    .stack = {}});
    return false;
  }
  release(nbl);
  return true;
}

bool strike_out(ledger::Kind kind, NET_BUFFER_LIST* nbl, const char* function) {
  if (ledger::release(kind, nbl) != ledger::Release::unknown) return true;
  ledger::report(
      {.rule = "NBL-DOUBLE-FREE",
       .message = std::string(function) + ": no live " + std::string(ledger::name_of(kind)) +
                  " at this address. It was freed before, or came from another function. Give each back once.",
       .packet = {},
       .stack = {}});
  return false;
}

}  // namespace wfp::ndis
