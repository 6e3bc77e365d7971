// FwpsConstructIpHeaderForTransportPacket0: check, translate, call wfp/inject. IRQL <= DISPATCH_LEVEL, any thread.
#include "fwpsk.h"
#include "nt/ntstatus.h"
#include "wfp/inject/injections.hpp"
#include "wfp/kernel/irql.hpp"

using namespace wfp;

// Of the arguments that steer Windows' own choice of header fields (endpoint, control data, interface), none is used:
// a new header has the stack's defaults, a rebuilt one what the old one said.
extern "C" NTSTATUS NTAPI FwpsConstructIpHeaderForTransportPacket0(
    NET_BUFFER_LIST* netBufferList, ULONG headerIncludeHeaderLength, ADDRESS_FAMILY addressFamily,
    const UCHAR* sourceAddress, const UCHAR* remoteAddress, IPPROTO nextProtocol, UINT64 endpointHandle,
    const WSACMSGHDR* controlData, ULONG controlDataLength, UINT32 flags, PVOID reserved, IF_INDEX interfaceIndex,
    IF_INDEX subInterfaceIndex) {
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsConstructIpHeaderForTransportPacket0");
  UNREFERENCED_PARAMETER(endpointHandle);
  UNREFERENCED_PARAMETER(controlData);
  UNREFERENCED_PARAMETER(controlDataLength);
  UNREFERENCED_PARAMETER(flags);
  UNREFERENCED_PARAMETER(reserved);
  UNREFERENCED_PARAMETER(interfaceIndex);
  UNREFERENCED_PARAMETER(subInterfaceIndex);
  if (netBufferList == nullptr || sourceAddress == nullptr || remoteAddress == nullptr)
    return STATUS_FWP_NULL_POINTER;
  inject::Injections* const injections = inject::Injections::current();
  if (injections == nullptr) return STATUS_FWP_TCPIP_NOT_READY;
  return injections->ip_headers().build(*netBufferList, {.address_family = addressFamily,
                                                         .source = sourceAddress,
                                                         .destination = remoteAddress,
                                                         .protocol = static_cast<std::uint8_t>(nextProtocol),
                                                         .old_header_size = headerIncludeHeaderLength});
}
