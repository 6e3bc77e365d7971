#include "wfp/ndis/driver_pool.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <utility>

#include "wfp/ledger/rules.hpp"
#include "wfp/ledger/violation.hpp"
#include "wfp/ndis/pool_core.hpp"

namespace wfp::ndis {
namespace {

// The newest of the pools that were freed. Never destroyed, as the ledger's state: drivers outlive main's statics.
struct FreedPools {
  std::mutex mutex;
  std::array<std::unique_ptr<DriverPool>, kFreedPoolsKept> kept;
  std::size_t next = 0;
};

std::string address_text(const void* object) {
  std::array<char, 24> text;
  std::snprintf(text.data(), text.size(), "%p", object);
  return text.data();
}

// Strikes out and frees, unless the packet is in flight.
void give_back(ledger::Kind kind, NET_BUFFER_LIST& nbl, const char* function, bool (*free)(NET_BUFFER_LIST&)) {
  if (strike_out(kind, &nbl, function) && !free(nbl)) ledger::acquire(kind, &nbl, function);
}

bool release_unless_in_flight(NET_BUFFER_LIST& nbl) {
  if (report_if_in_flight(nbl)) return false;
  release(nbl);
  return true;
}

}  // namespace

DriverPool* pool_of(NDIS_HANDLE handle) {
  auto* const pool = static_cast<DriverPool*>(handle);
  if (pool == nullptr || pool->magic == DriverPool::kMagic) return pool;
  if (pool->magic == DriverPool::kFreed)
    ledger::report(
        {.rule = ledger::rule::kNblPoolFreed,
         .message = "a pool handle was used after NdisFreeNetBufferListPool or NdisFreeNetBufferPool. Free a pool "
                    "once, after the last allocation from it.",
         .packet = {},
         .stack = {}});
  return nullptr;
}

void retire_pool(DriverPool& pool) {
  static FreedPools* const freed = new FreedPools;
  pool.packets.reset();
  pool.magic = DriverPool::kFreed;
  std::unique_ptr<DriverPool> oldest(&pool);
  const std::lock_guard lock(freed->mutex);
  std::swap(oldest, freed->kept[freed->next]);
  freed->next = (freed->next + 1) % kFreedPoolsKept;
}

NblPool* pool_or_shared(NDIS_HANDLE handle) {
  if (handle == nullptr) return &shared_pool();
  DriverPool* const pool = pool_of(handle);
  return pool != nullptr ? &*pool->packets : nullptr;
}

USHORT back_fill_of(const DriverPool& pool, USHORT size, USHORT back_fill) {
  return pool.context_size > size ? std::max(back_fill, static_cast<USHORT>(pool.context_size - size)) : back_fill;
}

bool allocate_context(NET_BUFFER_LIST& nbl, USHORT size, USHORT back_fill) {
  const std::size_t bytes = std::size_t{size} + back_fill;
  if (bytes == 0) return true;
  if (bytes > std::numeric_limits<USHORT>::max()) return false;  // more than its Size can say
  void* const memory = std::calloc(1, sizeof(NET_BUFFER_LIST_CONTEXT) + bytes);
  if (memory == nullptr) return false;
  auto* const context = new (memory) NET_BUFFER_LIST_CONTEXT{};
  context->Size = static_cast<USHORT>(bytes);
  context->Offset = back_fill;
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

bool strike_out(ledger::Kind kind, NET_BUFFER_LIST* nbl, const char* function) {
  if (ledger::release(kind, nbl) != ledger::Release::unknown) return true;
  ledger::report(
      {.rule = ledger::rule::kNblDoubleFree,
       .message = std::string(function) + ": no live " + std::string(ledger::name_of(kind)) +
                  " at this address. It was freed before, or came from another function. Give each back once.",
       .packet = {},
       .stack = {},
       .object = "NET_BUFFER_LIST " + address_text(nbl),
       .kind = kind,
       .about = nbl});
  return false;
}

void free_list(NET_BUFFER_LIST& nbl, const char* function) {
  give_back(ledger::Kind::net_buffer_list, nbl, function, release_unless_in_flight);
}

void free_clone(NET_BUFFER_LIST& nbl, const char* function) {
  give_back(ledger::Kind::clone, nbl, function, free_clone);
}

}  // namespace wfp::ndis
