// The bytes of a packet: walking, copying, sharing and cutting its MDL chain. Everything works on the first
// NET_BUFFER.
//
// Not synchronized: one thread at a time changes a packet. Bytes that others may see are never written by pull_up and
// push; MDLs that they take out of the chain stay valid until the NBL is gone, since a holder of a reference may still
// look at them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "ndis.h"
#include "wfp/ndis/block.hpp"

namespace wfp::ndis {

// Calls visit(std::span<std::byte>) for each contiguous range of the data, in order. A chain that is shorter than
// DataLength ends early.
template <class Visit>
void for_each_range(const NET_BUFFER& nb, Visit visit) {
  std::size_t left = nb.DataLength;
  std::size_t offset = nb.CurrentMdlOffset;
  for (const MDL* mdl = nb.CurrentMdl; mdl != nullptr && left > 0; mdl = mdl->Next, offset = 0) {
    if (offset >= mdl->ByteCount) continue;
    const std::size_t size = std::min<std::size_t>(left, mdl->ByteCount - offset);
    visit(std::span<std::byte>(static_cast<std::byte*>(mdl->MappedSystemVa) + offset, size));
    left -= size;
  }
}
template <class Visit>
void for_each_range(const NET_BUFFER_LIST& nbl, Visit visit) {
  if (nbl.FirstNetBuffer != nullptr) for_each_range(*nbl.FirstNetBuffer, visit);
}

std::size_t data_length(const NET_BUFFER_LIST& nbl);

// Pointer to data bytes [offset, offset + length), when they lie in one piece; else null. Zero bytes always do.
std::byte* contiguous(const NET_BUFFER& nb, std::size_t offset, std::size_t length);
std::byte* contiguous(const NET_BUFFER_LIST& nbl, std::size_t offset, std::size_t length);

// Return how many bytes were copied: fewer when the data ends before.
std::size_t copy_out(const NET_BUFFER& nb, std::size_t offset, std::span<std::byte> into);
std::size_t copy_out(const NET_BUFFER_LIST& nbl, std::size_t offset, std::span<std::byte> into);
std::size_t copy_in(NET_BUFFER_LIST& nbl, std::size_t offset, std::span<const std::byte> from);

// Adds bytes [offset, offset + length) of a block after the data, which must end where the chain ends or is cut
// there. The packet then holds the block. False: no MDL left, or no such range.
bool append(NET_BUFFER_LIST& nbl, BlockRef block, std::size_t offset, std::size_t length);

// Makes the first `count` bytes contiguous and this packet's own; the used space before them comes along, so that
// pulled headers can still be reached. False: fewer bytes than that, or no memory.
bool pull_up(NET_BUFFER_LIST& nbl, std::size_t count);

// Moves the data start back by `count` bytes that are writable and in one piece: in the used space when it is this
// packet's own, else in new memory. Returns the first of them, null when there is no memory.
std::byte* push(NET_BUFFER_LIST& nbl, std::size_t count);

// Keeps the first `new_length` bytes.
void trim(NET_BUFFER_LIST& nbl, std::size_t new_length);

// Somebody else can see or hold these bytes: another reference, a clone, the parent, or another holder of a block.
bool is_shared(const NET_BUFFER_LIST& nbl);

// The block that an MDL of the chain holds; null for memory of a driver.
Block* block_of(const MDL& mdl);

// Chain, offsets and length of every NET_BUFFER are put back to what they were when saved, and MDLs added since are
// freed: what an injected NBL must look like when it completes.
void save_layout(NET_BUFFER_LIST& nbl);
void restore_layout(NET_BUFFER_LIST& nbl);
bool is_as_saved(const NET_BUFFER_LIST& nbl);

}  // namespace wfp::ndis
