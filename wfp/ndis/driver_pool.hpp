// What an NDIS pool handle is, and the allocations from it that the Ndis and the Fwps functions share.
#pragma once

#include <atomic>

#include "ndis.h"
#include "wfp/ledger/ledger.hpp"
#include "wfp/ndis/clone.hpp"
#include "wfp/ndis/nbl_pool.hpp"

namespace wfp::ndis {

inline constexpr std::size_t kDriverPoolLimit = 262'144;  // packets of one pool

struct DriverPool {
  static constexpr std::uint32_t kMagic = 0x4c504244;  // a handle that is none of ours is refused, not followed

  std::uint32_t magic = kMagic;
  std::uint32_t tag = 0;
  std::size_t context_size = 0;
  std::size_t data_size = 0;
  bool allocate_net_buffer = false;
  std::atomic<std::uint32_t> buffers_out{0};  // NET_BUFFERs allocated alone
  NblPool pool{kDriverPoolLimit};
};

// Null for a handle that is none.
DriverPool* pool_of(NDIS_HANDLE handle);
// The handle's pool; the process's own for a null handle, which the Fwps functions allow. Null for a bad handle.
NblPool* pool_or_shared(NDIS_HANDLE handle);

// A driver's NBL with one NET_BUFFER over the driver's MDLs. Not entered in the ledger: the caller knows the
// function.
NET_BUFFER_LIST* allocate_for_driver(NblPool& pool, USHORT context_size, USHORT context_back_fill, MDL* chain,
                                     ULONG data_offset, SIZE_T data_length);
// Gives up the allocation's reference. Refused with a report while an injection of it has not completed.
bool free_for_driver(NET_BUFFER_LIST& nbl);
bool allocate_context(NET_BUFFER_LIST& nbl, USHORT size, USHORT back_fill);

// Strikes the object out of the ledger; false, with a report NBL-DOUBLE-FREE, when it was not in it.
bool strike_out(ledger::Kind kind, NET_BUFFER_LIST* nbl, const char* function);

}  // namespace wfp::ndis
