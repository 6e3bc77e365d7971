// What an NDIS pool handle is, and the allocations from it that the Ndis and the Fwps functions share.
#pragma once

#include <atomic>
#include <optional>

#include "ndis.h"
#include "wfp/ledger/irql.hpp"
#include "wfp/ledger/ledger.hpp"
#include "wfp/ndis/clone.hpp"
#include "wfp/ndis/nbl_pool.hpp"

namespace wfp::ndis {

inline constexpr std::size_t kDriverPoolLimit = 262'144;  // packets of one pool
inline constexpr std::size_t kFreedPoolsKept = 64;        // so that the use of a freed handle is named, not followed

struct DriverPool {
  static constexpr std::uint32_t kMagic = 0x4c504244;  // a handle that is none of ours is refused, not followed
  static constexpr std::uint32_t kFreed = 0x44454144;

  std::uint32_t magic = kMagic;
  USHORT context_size = 0;  // of each list, at least
  std::size_t data_size = 0;
  bool allocate_net_buffer = false;
  std::atomic<std::uint32_t> buffers_out{0};                        // NET_BUFFERs allocated alone
  std::optional<NblPool> packets{std::in_place, kDriverPoolLimit};  // until it is freed
};

// The documented level of every NDIS, MDL and buffer function here; a breach is reported and the call goes on.
inline void assert_dispatch_at_most(const char* function) { ledger::assert_irql_at_most(DISPATCH_LEVEL, function); }

// Null for a handle that is none; one that was freed is reported (NBL-POOL-FREED).
DriverPool* pool_of(NDIS_HANDLE handle);
// The packets that are out stay valid; the handle is kept among the last kFreedPoolsKept.
void retire_pool(DriverPool& pool);
// The handle's pool; the process's own for a null handle, which the Fwps functions allow. Null for a bad handle.
NblPool* pool_or_shared(NDIS_HANDLE handle);

// A driver's NBL with one NET_BUFFER over the driver's MDLs. Not entered in the ledger: the caller knows the
// function.
NET_BUFFER_LIST* allocate_for_driver(NblPool& pool, USHORT context_size, USHORT context_back_fill, MDL* chain,
                                     ULONG data_offset, SIZE_T data_length);
// What the pool promised for each list, beyond what the caller asked for, is space that its context may grow into.
USHORT back_fill_of(const DriverPool& pool, USHORT size, USHORT back_fill);
bool allocate_context(NET_BUFFER_LIST& nbl, USHORT size, USHORT back_fill);

// Strikes the object out of the ledger; false, with a report NBL-DOUBLE-FREE, when it was not in it.
bool strike_out(ledger::Kind kind, NET_BUFFER_LIST* nbl, const char* function);
// Strikes it out and gives up the creator's reference. Refused, and entered again, while an injection of it has not
// completed (INJ-FREE-IN-FLIGHT): its completion function still frees it.
void free_list(NET_BUFFER_LIST& nbl, const char* function);
void free_clone(NET_BUFFER_LIST& nbl, const char* function);

}  // namespace wfp::ndis
