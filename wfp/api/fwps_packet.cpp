// Fwps functions that tell about packets. IRQL <= DISPATCH_LEVEL, any thread.
#include "fwpsk.h"
#include "nt/ntstatus.h"
#include "wfp/kernel/irql.hpp"
#include "wfp/ndis/nbl.hpp"

using namespace wfp;

extern "C" {

// There is no IPsec here, so only the reinjected bit can be set.
NTSTATUS NTAPI FwpsGetPacketListSecurityInformation0(NET_BUFFER_LIST* packetList, UINT32 queryFlags,
                                                     FWPS_PACKET_LIST_INFORMATION0* packetInformation) {
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsGetPacketListSecurityInformation0");
  UNREFERENCED_PARAMETER(queryFlags);
  if (packetList == nullptr || packetInformation == nullptr) return STATUS_FWP_NULL_POINTER;
  *packetInformation = {};
  packetInformation->fwpInformation.isReinjected = ndis::injection_mark(*packetList).handle != 0;
  return STATUS_SUCCESS;
}

// Fragment groups are shown at IPFORWARD only, and this stack does not forward.
NTSTATUS NTAPI FwpsReassembleForwardFragmentGroup0(ADDRESS_FAMILY addressFamily,
                                                   NET_BUFFER_LIST* fragmentGroupNblChain,
                                                   NDIS_HANDLE netBufferAndNetBufferListPoolHandle,
                                                   ULONG dataBackFill, ULONG flags,
                                                   NET_BUFFER_LIST** reassembledNbl) {
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsReassembleForwardFragmentGroup0");
  UNREFERENCED_PARAMETER(addressFamily);
  UNREFERENCED_PARAMETER(netBufferAndNetBufferListPoolHandle);
  UNREFERENCED_PARAMETER(dataBackFill);
  UNREFERENCED_PARAMETER(flags);
  if (fragmentGroupNblChain == nullptr || reassembledNbl == nullptr) return STATUS_FWP_NULL_POINTER;
  *reassembledNbl = nullptr;
  return STATUS_INVALID_PARAMETER;
}

}  // extern "C"
