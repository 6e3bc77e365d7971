// Clones: a packet object of one's own over the bytes of another.
//
// A clone copies NBL, NET_BUFFERs and MDLs, shares the blocks, and holds its parent by a reference and by
// ChildRefCount until it is gone. It inherits the injection mark. Thread-safe as long as nobody changes the original
// meanwhile.
#pragma once

#include "ndis.h"
#include "wfp/ndis/nbl_pool.hpp"

namespace wfp::ndis {

struct CloneOptions {
  bool inherit_offload = false;    // checksum, large-send, receive-coalescing information (the WFP function's clones)
  bool use_original_mdls = false;  // NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS: the original's MDLs themselves
};

// One reference, the caller's. Null when the pool has nothing left.
NET_BUFFER_LIST* clone(NET_BUFFER_LIST& original, NblPool& pool, CloneOptions options = {});

// Gives up the creator's reference. False, refused with a report: an NBL that is no clone (NBL-NOT-A-CLONE), one whose
// injection has not completed (INJ-FREE-IN-FLIGHT). Freeing one that has clones of its own is reported
// (NBL-FREE-WITH-CHILDREN) and safe: they hold it.
bool free_clone(NET_BUFFER_LIST& nbl);

// Copies the slots that an offload lives in; the rest of the destination stays.
void copy_offload_information(NET_BUFFER_LIST& destination, const NET_BUFFER_LIST& source);
void clear_offload_information(NET_BUFFER_LIST& nbl);

}  // namespace wfp::ndis
