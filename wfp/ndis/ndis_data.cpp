// The NDIS functions over a packet's bytes and out-of-band information.
#include <algorithm>
#include <cstring>

#include "wfp/ledger/require.hpp"
#include "wfp/ndis/chain.hpp"
#include "wfp/ndis/clone.hpp"
#include "wfp/ndis/driver_pool.hpp"
#include "wfp/ndis/offsets.hpp"

using namespace wfp::ndis;

extern "C" {

NDIS_STATUS NTAPI NdisRetreatNetBufferDataStart(NET_BUFFER* NetBuffer, ULONG DataOffsetDelta, ULONG DataBackFill,
                                                NET_BUFFER_ALLOCATE_MDL_HANDLER_PTR AllocateMdlHandler) {
  REQUIRE_ARGUMENT(NetBuffer);
  assert_dispatch_at_most("NdisRetreatNetBufferDataStart");
  if (NetBuffer == nullptr) return NDIS_STATUS_INVALID_PARAMETER;
  if (!retreat(*NetBuffer, DataOffsetDelta, DataBackFill, AllocateMdlHandler)) return NDIS_STATUS_RESOURCES;
  note_driver_shift(*NetBuffer, DataOffsetDelta);
  return NDIS_STATUS_SUCCESS;
}

void NTAPI NdisAdvanceNetBufferDataStart(NET_BUFFER* NetBuffer, ULONG DataOffsetDelta, BOOLEAN FreeMdl,
                                         NET_BUFFER_FREE_MDL_HANDLER_PTR FreeMdlHandler) {
  REQUIRE_ARGUMENT(NetBuffer);
  assert_dispatch_at_most("NdisAdvanceNetBufferDataStart");
  if (NetBuffer == nullptr) return;
  note_driver_shift(*NetBuffer, -std::int64_t{std::min(DataOffsetDelta, NetBuffer->DataLength)});
  advance(*NetBuffer, DataOffsetDelta, FreeMdl != FALSE, FreeMdlHandler);
}

NDIS_STATUS NTAPI NdisRetreatNetBufferListDataStart(NET_BUFFER_LIST* NetBufferList, ULONG DataOffsetDelta,
                                                    ULONG DataBackFill,
                                                    NET_BUFFER_ALLOCATE_MDL_HANDLER_PTR AllocateMdlHandler,
                                                    NET_BUFFER_FREE_MDL_HANDLER_PTR FreeMdlHandler) {
  REQUIRE_ARGUMENT(NetBufferList);
  assert_dispatch_at_most("NdisRetreatNetBufferListDataStart");
  if (NetBufferList == nullptr) return NDIS_STATUS_INVALID_PARAMETER;
  if (!retreat(*NetBufferList, DataOffsetDelta, DataBackFill, AllocateMdlHandler, FreeMdlHandler))
    return NDIS_STATUS_RESOURCES;
  for (NET_BUFFER* nb = NetBufferList->FirstNetBuffer; nb != nullptr; nb = nb->Next)
    note_driver_shift(*nb, DataOffsetDelta);
  return NDIS_STATUS_SUCCESS;
}

void NTAPI NdisAdvanceNetBufferListDataStart(NET_BUFFER_LIST* NetBufferList, ULONG DataOffsetDelta, BOOLEAN FreeMdl,
                                             NET_BUFFER_FREE_MDL_HANDLER_PTR FreeMdlHandler) {
  REQUIRE_ARGUMENT(NetBufferList);
  assert_dispatch_at_most("NdisAdvanceNetBufferListDataStart");
  if (NetBufferList == nullptr) return;
  for (NET_BUFFER* nb = NetBufferList->FirstNetBuffer; nb != nullptr; nb = nb->Next)
    note_driver_shift(*nb, -std::int64_t{std::min(DataOffsetDelta, nb->DataLength)});
  advance(*NetBufferList, DataOffsetDelta, FreeMdl != FALSE, FreeMdlHandler);
}

PVOID NTAPI NdisGetDataBuffer(NET_BUFFER* NetBuffer, ULONG BytesNeeded, PVOID Storage, ULONG AlignMultiple,
                              ULONG AlignOffset) {
  REQUIRE_ARGUMENT(NetBuffer);
  assert_dispatch_at_most("NdisGetDataBuffer");
  if (NetBuffer == nullptr || BytesNeeded == 0 || BytesNeeded > NetBuffer->DataLength) return nullptr;
  std::byte* const in_place = contiguous(*NetBuffer, 0, BytesNeeded);
  const bool is_aligned =
      AlignMultiple <= 1 || (reinterpret_cast<std::uintptr_t>(in_place) - AlignOffset) % AlignMultiple == 0;
  if (in_place != nullptr && is_aligned) return in_place;
  if (Storage == nullptr) return nullptr;
  const std::span<std::byte> into(static_cast<std::byte*>(Storage), BytesNeeded);
  return copy_out(*NetBuffer, 0, into) == BytesNeeded ? Storage : nullptr;
}

NDIS_STATUS NTAPI NdisCopyFromNetBufferToNetBuffer(NET_BUFFER* Destination, ULONG DestinationOffset,
                                                   ULONG BytesToCopy, NET_BUFFER const* Source, ULONG SourceOffset,
                                                   ULONG* BytesCopied) {
  REQUIRE_ARGUMENT(Destination);
  REQUIRE_ARGUMENT(Source);
  REQUIRE_ARGUMENT(BytesCopied);
  assert_dispatch_at_most("NdisCopyFromNetBufferToNetBuffer");
  if (Destination == nullptr || Source == nullptr || BytesCopied == nullptr) return NDIS_STATUS_INVALID_PARAMETER;
  std::size_t skip = DestinationOffset;
  std::size_t copied = 0;
  for_each_range(*Destination, [&](std::span<std::byte> range) {
    const std::size_t passed = std::min(skip, range.size());
    skip -= passed;
    const std::size_t size = std::min<std::size_t>(range.size() - passed, BytesToCopy - copied);
    if (size > 0) copied += copy_out(*Source, SourceOffset + copied, range.subspan(passed, size));
  });
  *BytesCopied = static_cast<ULONG>(copied);
  return NDIS_STATUS_SUCCESS;
}

void NTAPI NdisCopySendNetBufferListInfo(NET_BUFFER_LIST* Destination, NET_BUFFER_LIST* Source) {
  REQUIRE_ARGUMENT(Destination);
  REQUIRE_ARGUMENT(Source);
  assert_dispatch_at_most("NdisCopySendNetBufferListInfo");
  copy_offload_information(*Destination, *Source);
  for (const auto slot : {Ieee8021QNetBufferListInfo, NetBufferListCancelId, NetBufferListHashValue})
    Destination->NetBufferListInfo[slot] = Source->NetBufferListInfo[slot];
}

void NTAPI NdisCopyReceiveNetBufferListInfo(NET_BUFFER_LIST* Destination, NET_BUFFER_LIST* Source) {
  REQUIRE_ARGUMENT(Destination);
  REQUIRE_ARGUMENT(Source);
  assert_dispatch_at_most("NdisCopyReceiveNetBufferListInfo");
  copy_offload_information(*Destination, *Source);
  for (const auto slot : {Ieee8021QNetBufferListInfo, NetBufferListFrameType, NetBufferListHashValue,
                          NetBufferListHashInfo, NetBufferListFilteringInfo})
    Destination->NetBufferListInfo[slot] = Source->NetBufferListInfo[slot];
}

}  // extern "C"
