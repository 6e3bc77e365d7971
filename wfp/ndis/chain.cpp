#include "wfp/ndis/chain.hpp"

#include <cstring>

#include "wfp/ndis/offsets.hpp"
#include "wfp/ndis/pool_core.hpp"

namespace wfp::ndis {
namespace {

// Space in front of pushed bytes in new memory, for the headers that follow them.
constexpr std::size_t kPushHeadroom = 128;

struct Place {
  MDL* mdl = nullptr;
  std::size_t offset = 0;
};

// Where byte `offset` of the data lies; the MDL is null when the chain ends before.
//
//   chain   |  A  |    B    |   C   |         DataOffset reaches into B, which is the current MDL
//   data           [-----------)
//   offset         |.....x                    x in B: B, from its first byte
//                  |...........x              x where the data ends: C, because C has bytes behind the data
Place find(const NET_BUFFER& nb, std::size_t offset) {
  std::size_t at = nb.CurrentMdlOffset + offset;
  MDL* mdl = nb.CurrentMdl;
  while (mdl != nullptr && at >= mdl->ByteCount) {
    at -= mdl->ByteCount;
    mdl = mdl->Next;
  }
  return {mdl, at};
}

//   place       v                    v
//   |  A  |  B  |  C  |     |  A  |  B  |  C  |         at the front of C: C and what follows it;
//               [C  ...            [b |[C  ...          within B: b over the rest of B's bytes, then C. B stays as it is
//
// An MDL chain that starts at `place`: the MDL itself when it starts there, else a shorter one over the same bytes.
// False: no MDL left.
bool chain_from(NbObject& nb, Place place, MDL** chain) {
  *chain = place.mdl;
  if (place.mdl == nullptr || place.offset == 0) return true;
  MDL* const rest = make_mdl(nb, object_of(*place.mdl).block, first_byte(*place.mdl) + place.offset,
                             place.mdl->ByteCount - place.offset);
  if (rest == nullptr) return false;
  rest->Next = place.mdl->Next;
  *chain = rest;
  return true;
}

//   before   |  A  |  B  |  C  |        A, and B up to `rest`, are in the chain no more; the buffer owns them still
//   rest               ^
//   after    | front  |b |  C  |
//
// Puts `size` bytes of a new block in front of `rest`, in place of what came before `rest` in the chain.
bool replace_front(NbObject& nb, Block& block, std::size_t size, Place rest) {
  MDL* tail = nullptr;
  if (!chain_from(nb, rest, &tail)) return false;
  MDL* const front = make_mdl(nb, &block, block.data(), size);
  if (front == nullptr) {
    if (tail != rest.mdl) free_mdl(nb, *tail);
    return false;
  }
  front->Next = tail;
  nb.nb.MdlChain = front;
  return true;
}

// A clone holds the blocks of its parent and so makes them shared, unless it uses the very MDLs: hence the child
// count.
bool may_write(const NET_BUFFER_LIST& nbl, const MDL& mdl) {
  return __atomic_load_n(&nbl.ChildRefCount, __ATOMIC_ACQUIRE) == 0 && reference_count(nbl) == 1 &&
         is_private(*nbl.FirstNetBuffer, mdl);
}

//   |   A   |   B   |         |   A   |   B   |         |   A   |   B   |
//             [data...              [data...                   [data...
//          [-)  count             [-)                       [--)
//    within B: there            within A: there         astride of both: none, since it is to be one piece
//
// The used space directly before the data, `count` bytes in one MDL; the MDL is null when there is no such space.
Place space_before(const NET_BUFFER& nb, std::size_t count) {
  if (nb.DataOffset < count) return {};
  std::size_t at = nb.DataOffset - count;
  MDL* mdl = nb.MdlChain;
  while (mdl != nullptr && at >= mdl->ByteCount) {
    at -= mdl->ByteCount;
    mdl = mdl->Next;
  }
  if (mdl == nullptr || mdl->ByteCount - at < count) return {};
  return {mdl, at};
}

}  // namespace

std::size_t data_length(const NET_BUFFER_LIST& nbl) {
  return nbl.FirstNetBuffer != nullptr ? nbl.FirstNetBuffer->DataLength : 0;
}

std::byte* contiguous(const NET_BUFFER& nb, std::size_t offset, std::size_t length) {
  if (offset > nb.DataLength || length > nb.DataLength - offset || nb.CurrentMdl == nullptr) return nullptr;
  const Place place = find(nb, offset);
  if (place.mdl == nullptr) return length == 0 ? first_byte(*nb.CurrentMdl) + nb.CurrentMdlOffset : nullptr;
  if (place.mdl->ByteCount - place.offset < length) return nullptr;
  return first_byte(*place.mdl) + place.offset;
}

std::byte* contiguous(const NET_BUFFER_LIST& nbl, std::size_t offset, std::size_t length) {
  return nbl.FirstNetBuffer != nullptr ? contiguous(*nbl.FirstNetBuffer, offset, length) : nullptr;
}

std::size_t copy_out(const NET_BUFFER& nb, std::size_t offset, std::span<std::byte> into) {
  std::size_t copied = 0;
  for_each_range(nb, [&](std::span<std::byte> range) {
    const std::size_t skip = std::min(offset, range.size());
    offset -= skip;
    const std::size_t size = std::min(range.size() - skip, into.size() - copied);
    if (size > 0) std::memcpy(into.data() + copied, range.data() + skip, size);
    copied += size;
  });
  return copied;
}

std::size_t copy_out(const NET_BUFFER_LIST& nbl, std::size_t offset, std::span<std::byte> into) {
  return nbl.FirstNetBuffer != nullptr ? copy_out(*nbl.FirstNetBuffer, offset, into) : 0;
}

std::size_t copy_in(NET_BUFFER_LIST& nbl, std::size_t offset, std::span<const std::byte> from) {
  std::size_t copied = 0;
  for_each_range(nbl, [&](std::span<std::byte> range) {
    const std::size_t skip = std::min(offset, range.size());
    offset -= skip;
    const std::size_t size = std::min(range.size() - skip, from.size() - copied);
    if (size > 0) std::memcpy(range.data() + skip, from.data() + copied, size);
    copied += size;
  });
  return copied;
}

bool append(NET_BUFFER_LIST& nbl, BlockRef block, std::size_t offset, std::size_t length) {
  NET_BUFFER* const nb = nbl.FirstNetBuffer;
  if (nb == nullptr || !block || offset > block->capacity() || length > block->capacity() - offset) return false;
  NbObject& object = object_of(*nb);
  MDL* const added = make_mdl(object, block.get(), block->data() + offset, length);
  if (added == nullptr) return false;

  //   |   A   |   B   |   C   |  ->  |   A   | B|added|
  //   used [-------)unused           used [--------------)
  // Cut the chain where the data ends: unused space there would become data.
  std::size_t kept = nb->DataOffset + nb->DataLength;
  MDL** link = &nb->MdlChain;
  while (*link != nullptr && kept > 0) {
    MDL& mdl = **link;
    if (mdl.ByteCount > kept) mdl.ByteCount = static_cast<ULONG>(kept);
    kept -= mdl.ByteCount;
    link = &mdl.Next;
  }
  *link = added;
  nb->stDataLength = nb->DataLength + length;
  find_current_mdl(*nb);
  return true;
}

// Makes the first `count` bytes of the data one private piece. What lies before the data comes along, because callouts
// may retreat to it; the rest stays where it is.
//
//   |   A   |   B   |   C   |   ->   |    new     |b|   C   |
//   used[------data-------)          used[------data-------)
//       [--count--)                      [--count-)
bool pull_up(NET_BUFFER_LIST& nbl, std::size_t count) {
  NET_BUFFER* const nb = nbl.FirstNetBuffer;
  if (nb == nullptr || count > nb->DataLength || nb->CurrentMdl == nullptr) return false;
  if (count == 0 || (contiguous(*nb, 0, count) != nullptr && may_write(nbl, *nb->CurrentMdl))) return true;

  NbObject& object = object_of(*nb);
  const std::size_t used = nb->DataOffset;
  const BlockRef block = object.core->allocate_block(used + count);
  if (!block) return false;
  // The used space is data of a buffer that starts at the chain's first byte.
  NET_BUFFER whole = *nb;
  attach_chain(whole, nb->MdlChain, 0, used + count);
  if (copy_out(whole, 0, {block->data(), used + count}) != used + count) return false;
  if (!replace_front(object, *block, used + count, find(*nb, count))) return false;
  attach_chain(*nb, nb->MdlChain, used, nb->DataLength);
  return true;
}

// The data begins `count` bytes earlier: in used space that is private and one piece, else in new memory.
//
//   |   A   |   B   |        |   A   |   B   |   ->   | headroom, new |b..|
//        [--data              used [--data                     [--count--data
//     [-)count               shared, or too little: everything before the data is given up
std::byte* push(NET_BUFFER_LIST& nbl, std::size_t count) {
  NET_BUFFER* const nb = nbl.FirstNetBuffer;
  if (nb == nullptr) return nullptr;
  const std::size_t length = nb->DataLength + count;
  if (const Place space = space_before(*nb, count); space.mdl != nullptr && may_write(nbl, *space.mdl)) {
    attach_chain(*nb, nb->MdlChain, nb->DataOffset - count, length);
    return first_byte(*space.mdl) + space.offset;
  }
  NbObject& object = object_of(*nb);
  const BlockRef block = object.core->allocate_block(kPushHeadroom + count);
  if (!block || !replace_front(object, *block, kPushHeadroom + count, find(*nb, 0))) return nullptr;
  attach_chain(*nb, nb->MdlChain, kPushHeadroom, length);
  return block->data() + kPushHeadroom;
}

void trim(NET_BUFFER_LIST& nbl, std::size_t new_length) {
  NET_BUFFER* const nb = nbl.FirstNetBuffer;
  if (nb != nullptr && new_length < nb->DataLength) nb->stDataLength = new_length;
}

bool is_shared(const NET_BUFFER_LIST& nbl) {
  if (__atomic_load_n(&nbl.ChildRefCount, __ATOMIC_ACQUIRE) != 0 || reference_count(nbl) > 1) return true;
  for (const NET_BUFFER* nb = nbl.FirstNetBuffer; nb != nullptr; nb = nb->Next)
    for (const MDL* mdl = nb->MdlChain; mdl != nullptr; mdl = mdl->Next)
      if (!is_private(*nb, *mdl)) return true;
  return false;
}

Block* block_of(const MDL& mdl) { return object_of(mdl).block; }

void save_layout(NET_BUFFER_LIST& nbl) {
  for (NET_BUFFER* nb = nbl.FirstNetBuffer; nb != nullptr; nb = nb->Next) {
    NbObject& object = object_of(*nb);
    object.saved = {object.owned, nb->MdlChain, nb->CurrentMdl, nb->CurrentMdlOffset, nb->DataLength, nb->DataOffset};
    object.is_saved = true;
  }
}

bool is_as_saved(const NET_BUFFER_LIST& nbl) {
  for (const NET_BUFFER* nb = nbl.FirstNetBuffer; nb != nullptr; nb = nb->Next) {
    const NbObject& object = object_of(*nb);
    const SavedLayout& saved = object.saved;
    const bool is_same =
        nb->MdlChain == saved.chain && nb->DataOffset == saved.data_offset && nb->DataLength == saved.data_length;
    if (object.is_saved && !is_same) return false;
  }
  return true;
}

void restore_layout(NET_BUFFER_LIST& nbl) {
  for (NET_BUFFER* nb = nbl.FirstNetBuffer; nb != nullptr; nb = nb->Next) {
    NbObject& object = object_of(*nb);
    if (!object.is_saved) continue;
    object.is_saved = false;
    const SavedLayout& saved = object.saved;
    while (object.owned != saved.owned) free_mdl(object, object.owned->mdl);
    nb->MdlChain = saved.chain;
    nb->CurrentMdl = saved.current_mdl;
    nb->CurrentMdlOffset = saved.current_mdl_offset;
    nb->stDataLength = saved.data_length;
    nb->DataOffset = saved.data_offset;
  }
}

}  // namespace wfp::ndis
