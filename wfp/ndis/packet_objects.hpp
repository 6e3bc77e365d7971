// The objects behind the public structures. For this folder only: everybody else sees NET_BUFFER_LIST, NET_BUFFER and
// MDL.
//
// The public structure comes first in each, so that its address is the object's. A slot holds an NBL with its first
// NB, first MDL and first block in one piece; it goes home when the last holder of that block is gone, and the NBL is
// one of them. Further NBs and MDLs belong to the NBL and go home before it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "ndis.h"
#include "wfp/ndis/block.hpp"
#include "wfp/ndis/nbl.hpp"
#include "wfp/ndis/recycler.hpp"

namespace wfp::ndis {

class PoolCore;
struct NblObject;
struct NbObject;
struct Slot;

enum class MdlOrigin : std::uint8_t {
  embedded,  // in its slot, whose block the NBL holds
  pooled,    // owned by a NET_BUFFER, holds its block
  driver,    // allocated and freed by a driver
};

struct MdlObject {
  MDL mdl;
  Block* block;        // pooled: one reference; embedded: none of its own; driver: null
  const NbObject* nb;  // whose chain it belongs to; null for a driver's
  MdlObject* next_owned;
  MdlOrigin origin;
  bool from_retreat;  // Advance with FreeMdl may free it
};

// The chain as it was when saved, to be put back when an injected NBL completes.
struct SavedLayout {
  MdlObject* owned;  // what is in front of it in the list is newer
  MDL* chain;
  MDL* current_mdl;
  ULONG current_mdl_offset;
  ULONG data_length;
  ULONG data_offset;
};

struct NbObject {
  NET_BUFFER nb;
  NblObject* nbl;    // null for one that a driver allocated alone
  PoolCore* core;    // where its MDLs come from
  MdlObject* owned;  // every pooled MDL made for it, newest first, whether or not the chain still has it
  SavedLayout saved;
  bool is_saved;
  std::int64_t driver_shift;  // bytes that drivers moved the data start back, and did not undo
};

struct NblObject {
  NET_BUFFER_LIST nbl;
  std::atomic<std::uint32_t> references;
  Origin origin;
  std::atomic<ReleaseHandler*> handler;
  Slot* slot;
  void* context_memory;
  InjectionMark mark;
  alignas(64) std::byte owner_area[kOwnerAreaSize];
};

inline NblObject& object_of(NET_BUFFER_LIST& nbl) { return reinterpret_cast<NblObject&>(nbl); }
inline const NblObject& object_of(const NET_BUFFER_LIST& nbl) { return reinterpret_cast<const NblObject&>(nbl); }
inline NbObject& object_of(NET_BUFFER& nb) { return reinterpret_cast<NbObject&>(nb); }
inline const NbObject& object_of(const NET_BUFFER& nb) { return reinterpret_cast<const NbObject&>(nb); }
inline MdlObject& object_of(MDL& mdl) { return reinterpret_cast<MdlObject&>(mdl); }
inline const MdlObject& object_of(const MDL& mdl) { return reinterpret_cast<const MdlObject&>(mdl); }

struct RecycledMdl : Recycled {
  MdlObject object;
};
struct RecycledNb : Recycled {
  NbObject object;
};

struct Slot : Recycled {
  Slot(PoolCore& core, std::byte* bytes, std::size_t size, BlockHome& home);
  PoolCore& core;
  const bool has_bytes;
  Block block;
  NblObject nbl;
  NbObject nb;
  MdlObject mdl;
};

// --- MDLs ---

void set_range(MDL& mdl, std::byte* first, std::size_t size);
inline std::byte* first_byte(const MDL& mdl) { return static_cast<std::byte*>(mdl.MappedSystemVa); }
// An MDL for `nb` over a range of `block`, which it then holds. Null: no MDL left.
MDL* make_mdl(NbObject& nb, Block* block, std::byte* first, std::size_t size);
// At once, when it is one that was made for `nb`; any other MDL is left alone. One that is merely taken out of the
// chain stays valid until the NET_BUFFER is gone: a holder of a reference may still look at it.
void free_mdl(NbObject& nb, MDL& mdl);
// The bytes of the MDL are held by the chain of this NET_BUFFER alone.
bool is_private(const NET_BUFFER& nb, const MDL& mdl);

// --- NBs and NBLs ---

void reset(NbObject& nb, NblObject* nbl, PoolCore& core);
void attach_chain(NET_BUFFER& nb, MDL* chain, std::size_t data_offset, std::size_t data_length);
// Sets CurrentMdl and CurrentMdlOffset from DataOffset.
void find_current_mdl(NET_BUFFER& nb);
// Every MDL that was made for it, and the chain is empty. What a driver linked in is the driver's.
void free_mdls(NbObject& nb);
// The count is zero and nobody wants the object: parts and parent are released, the slot goes home.
void destroy(NblObject& object) noexcept;

}  // namespace wfp::ndis
