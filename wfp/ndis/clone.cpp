#include "wfp/ndis/clone.hpp"

#include <array>

#include "wfp/ledger/rules.hpp"
#include "wfp/ledger/violation.hpp"
#include "wfp/ndis/pool_core.hpp"

namespace wfp::ndis {
namespace {

// Slot 22 is TcpRecvSegCoalesceInfo of what was received and UdpSegmentationOffloadInfo of what is sent.
static_assert(TcpRecvSegCoalesceInfo == UdpSegmentationOffloadInfo);
constexpr std::array kOffloadSlots{TcpIpChecksumNetBufferListInfo, TcpLargeSendNetBufferListInfo,
                                   UdpRecvSegCoalesceOffloadInfo, TcpRecvSegCoalesceInfo, RscTcpTimestampDelta};

// Copies the MDLs of one NET_BUFFER; the first one into `embedded` when that is given.
bool copy_chain(NbObject& to, const NET_BUFFER& from, MdlObject* embedded) {
  MDL** link = &to.nb.MdlChain;
  for (MDL* mdl = from.MdlChain; mdl != nullptr; mdl = mdl->Next) {
    Block* const block = object_of(*mdl).block;
    MDL* copy = nullptr;
    if (embedded != nullptr && block == nullptr) {
      copy = &embedded->mdl;  // memory of the original's owner: nothing to hold beyond the parent
      set_range(*copy, first_byte(*mdl), mdl->ByteCount);
      copy->Next = nullptr;
      embedded = nullptr;
    } else {
      copy = make_mdl(to, block, first_byte(*mdl), mdl->ByteCount);
    }
    if (copy == nullptr) return false;
    *link = copy;
    link = &copy->Next;
  }
  return true;
}

bool copy_buffer(NbObject& to, const NET_BUFFER& from, MdlObject* embedded, bool use_original_mdls) {
  if (use_original_mdls)
    to.nb.MdlChain = from.MdlChain;
  else if (!copy_chain(to, from, embedded))
    return false;
  attach_chain(to.nb, to.nb.MdlChain, from.DataOffset, from.DataLength);
  to.nb.ChecksumBias = from.ChecksumBias;
  return true;
}

bool copy_buffers(Slot& slot, const NET_BUFFER_LIST& original, bool use_original_mdls) {
  NbObject* to = &slot.nb;
  MdlObject* embedded = &slot.mdl;
  for (const NET_BUFFER* from = original.FirstNetBuffer; from != nullptr; from = from->Next) {
    if (!copy_buffer(*to, *from, embedded, use_original_mdls)) return false;
    if (from->Next == nullptr) break;
    NbObject* const next = slot.core.allocate_nb(&slot.nbl);
    if (next == nullptr) return false;
    to->nb.Next = &next->nb;
    to = next;
    embedded = nullptr;
  }
  return true;
}

}  // namespace

NET_BUFFER_LIST* clone(NET_BUFFER_LIST& original, NblPool& pool, CloneOptions options) {
  Slot* const slot = pool.core().allocate_slot(false, Origin::clone);
  if (slot == nullptr) return nullptr;
  NET_BUFFER_LIST& copy = slot->nbl.nbl;
  if (!copy_buffers(*slot, original, options.use_original_mdls)) {
    pool.core().count_failure();
    release(copy);
    return nullptr;
  }
  reference(original);
  __atomic_add_fetch(&original.ChildRefCount, 1, __ATOMIC_ACQ_REL);
  copy.ParentNetBufferList = &original;
  copy.NblFlags = original.NblFlags;
  copy.Flags = original.Flags;
  injection_mark(copy) = injection_mark(original);
  if (options.inherit_offload) copy_offload_information(copy, original);
  return &copy;
}

bool free_clone(NET_BUFFER_LIST& nbl) {
  if (object_of(nbl).origin != Origin::clone) {
    ledger::report({.rule = ledger::rule::kNblNotAClone,
                    .message =
                        "a clone-free function was called on a NET_BUFFER_LIST that is no clone. Free it with the "
                        "function that matches its allocation.",
                    .packet = {},
                    .stack = {},
                    .kind = ledger::Kind::net_buffer_list,
                    .about = &nbl});
    return false;
  }
  if (report_if_in_flight(nbl)) return false;
  if (__atomic_load_n(&nbl.ChildRefCount, __ATOMIC_ACQUIRE) != 0)
    ledger::report({.rule = ledger::rule::kNblFreeWithChildren,
                    .message = "clone freed while clones of it exist. Free those first.",
                    .packet = {},
                    .stack = {},
                    .kind = ledger::Kind::clone,
                    .about = &nbl});
  release(nbl);
  return true;
}

void copy_offload_information(NET_BUFFER_LIST& destination, const NET_BUFFER_LIST& source) {
  for (const auto slot : kOffloadSlots) destination.NetBufferListInfo[slot] = source.NetBufferListInfo[slot];
}

void clear_offload_information(NET_BUFFER_LIST& nbl) {
  for (const auto slot : kOffloadSlots) nbl.NetBufferListInfo[slot] = nullptr;
}

}  // namespace wfp::ndis
