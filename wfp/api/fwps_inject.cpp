// Fwps injection functions: check, translate, call wfp/inject. Handles at PASSIVE_LEVEL, the rest at IRQL <=
// DISPATCH_LEVEL, any thread. FwpsInjectionHandleDestroy0 waits; nothing else does.
#include <algorithm>
#include <cstring>

#include "fwpsk.h"
#include "nt/ntstatus.h"
#include "wfp/inject/injections.hpp"
#include "wfp/kernel/irql.hpp"
#include "wfp/ledger/failed_calls.hpp"
#include "wfp/ledger/ledger.hpp"
#include "ws2def.h"

using namespace wfp;

namespace {

std::uint64_t number_of(HANDLE context) { return from_windows(context); }

inject::Injection make(const char* function, HANDLE handle, HANDLE context, InjectPath path, std::uint32_t type,
                       NET_BUFFER_LIST* nbl, FWPS_INJECT_COMPLETE0 completion, HANDLE completion_context) {
  inject::Injection injection;
  injection.function = function;
  injection.handle = from_windows(handle);
  injection.context = number_of(context);
  injection.type = type;
  injection.request.path = path;
  injection.request.nbl = nbl;
  injection.completion = completion;
  injection.completion_context = completion_context;
  return injection;
}

NTSTATUS inject_now(const inject::Injection& injection) {
  kernel::assert_irql_at_most(DISPATCH_LEVEL, injection.function);
  inject::Injections* const injections = inject::Injections::current();
  return injections == nullptr ? STATUS_FWP_TCPIP_NOT_READY : injections->inject(injection);
}

NTSTATUS refuse(const inject::Injection& injection, NTSTATUS status, const char* why) {
  kernel::assert_irql_at_most(DISPATCH_LEVEL, injection.function);
  inject::Injections* const injections = inject::Injections::current();
  return injections == nullptr ? status : injections->refuse(injection, status, why);
}

constexpr const char* kFlagsWhy = "flags is reserved and must be 0";

bool set_remote(InjectRequest& request, ADDRESS_FAMILY family, const UCHAR* remote, const SCOPE_ID& scope) {
  if (remote == nullptr) return false;
  request.remote_scope_id = scope.Value;
  std::memcpy(request.remote_address, remote, family == AF_INET6 ? 16 : 4);
  return true;
}

// What both versions of the transport send have in common. Null send arguments: a raw packet, with its IP header.
template <typename SendParameters>
NTSTATUS send_transport(inject::Injection injection, UINT64 endpoint, UINT32 flags, const SendParameters* arguments,
                        ADDRESS_FAMILY family, COMPARTMENT_ID compartment) {
  InjectRequest& request = injection.request;
  if (flags != 0) return refuse(injection, STATUS_INVALID_PARAMETER, kFlagsWhy);
  if (family != AF_INET && family != AF_INET6)
    return refuse(injection, STATUS_INVALID_PARAMETER, "addressFamily is neither AF_INET nor AF_INET6");
  request.address_family = family;
  request.endpoint = endpoint;
  request.compartment = compartment;
  injection.has_send_args = arguments != nullptr;
  if (arguments != nullptr && !set_remote(request, family, arguments->remoteAddress, arguments->remoteScopeId))
    return refuse(injection, STATUS_FWP_NULL_POINTER, "sendArgs->remoteAddress is NULL");
  return inject_now(injection);
}

// STATUS_FWP_TCPIP_NOT_READY is the documented answer while a path does not exist.
NTSTATUS not_built(const char* function, HANDLE handle, InjectPath path, NET_BUFFER_LIST* nbl,
                   FWPS_INJECT_COMPLETE0 completion) {
  const auto injection = make(function, handle, nullptr, path, 0, nbl, completion, nullptr);
  if (nbl == nullptr || completion == nullptr)
    return refuse(injection, STATUS_FWP_NULL_POINTER,
                  nbl == nullptr ? "netBufferList is NULL" : "completionFn is NULL");
  return refuse(injection, STATUS_FWP_TCPIP_NOT_READY, "wfptap does not have this path yet");
}

}  // namespace

extern "C" {

NTSTATUS NTAPI FwpsInjectionHandleCreate0(ADDRESS_FAMILY addressFamily, UINT32 flags, HANDLE* injectionHandle) {
  kernel::assert_irql_at_most(PASSIVE_LEVEL, "FwpsInjectionHandleCreate0");
  if (injectionHandle == nullptr) return STATUS_FWP_NULL_POINTER;
  constexpr UINT32 kKnown = FWPS_INJECTION_TYPE_STREAM | FWPS_INJECTION_TYPE_TRANSPORT | FWPS_INJECTION_TYPE_NETWORK |
                            FWPS_INJECTION_TYPE_FORWARD | FWPS_INJECTION_TYPE_L2 |
                            FWPS_INJECTION_TYPE_VSWITCH_TRANSPORT;
  const bool is_family = addressFamily == AF_INET || addressFamily == AF_INET6 || addressFamily == AF_UNSPEC;
  if ((flags & ~kKnown) != 0 || !is_family)
    return ledger::call_failed(
        "FwpsInjectionHandleCreate0", STATUS_INVALID_PARAMETER,
        is_family ? "flags has bits that are not known" : "addressFamily is none of AF_INET, AF_INET6 and AF_UNSPEC");
  inject::Injections* const injections = inject::Injections::current();
  if (injections == nullptr) return STATUS_FWP_TCPIP_NOT_READY;
  const HandleValue handle = injections->create(addressFamily, flags);
  if (handle == 0)
    return ledger::call_failed("FwpsInjectionHandleCreate0", STATUS_INSUFFICIENT_RESOURCES,
                               "there are too many handles");
  ledger::acquire(ledger::Kind::injection_handle, to_windows(handle), "FwpsInjectionHandleCreate0");
  *injectionHandle = to_windows(handle);
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI FwpsInjectionHandleDestroy0(HANDLE injectionHandle) {
  kernel::assert_irql_at_most(PASSIVE_LEVEL, "FwpsInjectionHandleDestroy0");
  inject::Injections* const injections = inject::Injections::current();
  if (injections == nullptr) return STATUS_FWP_TCPIP_NOT_READY;
  const NTSTATUS status = injections->destroy(from_windows(injectionHandle));
  if (status == STATUS_SUCCESS) ledger::release(ledger::Kind::injection_handle, injectionHandle);
  return status;
}

FWPS_PACKET_INJECTION_STATE NTAPI FwpsQueryPacketInjectionState0(HANDLE injectionHandle,
                                                                 const NET_BUFFER_LIST* netBufferList,
                                                                 HANDLE* injectionContext) {
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsQueryPacketInjectionState0");
  const inject::Injections* const injections = inject::Injections::current();
  std::uint64_t context = 0;
  const FWPS_PACKET_INJECTION_STATE state =
      injections == nullptr || netBufferList == nullptr
          ? FWPS_PACKET_NOT_INJECTED
          : injections->state(from_windows(injectionHandle), *netBufferList, &context);
  if (injectionContext != nullptr) *injectionContext = to_windows(context);
  return state;
}

NTSTATUS NTAPI FwpsInjectTransportSendAsync0(HANDLE injectionHandle, HANDLE injectionContext, UINT64 endpointHandle,
                                             UINT32 flags, FWPS_TRANSPORT_SEND_PARAMS0* sendArgs,
                                             ADDRESS_FAMILY addressFamily, COMPARTMENT_ID compartmentId,
                                             NET_BUFFER_LIST* netBufferList, FWPS_INJECT_COMPLETE0 completionFn,
                                             HANDLE completionContext) {
  return send_transport(
      make("FwpsInjectTransportSendAsync0", injectionHandle, injectionContext, InjectPath::TransportSend,
           FWPS_INJECTION_TYPE_TRANSPORT, netBufferList, completionFn, completionContext),
      endpointHandle, flags, sendArgs, addressFamily, compartmentId);
}

NTSTATUS NTAPI FwpsInjectTransportSendAsync1(HANDLE injectionHandle, HANDLE injectionContext, UINT64 endpointHandle,
                                             UINT32 flags, FWPS_TRANSPORT_SEND_PARAMS1* sendArgs,
                                             ADDRESS_FAMILY addressFamily, COMPARTMENT_ID compartmentId,
                                             NET_BUFFER_LIST* netBufferList, FWPS_INJECT_COMPLETE0 completionFn,
                                             HANDLE completionContext) {
  const auto injection =
      make("FwpsInjectTransportSendAsync1", injectionHandle, injectionContext, InjectPath::TransportSend,
           FWPS_INJECTION_TYPE_TRANSPORT, netBufferList, completionFn, completionContext);
  if (sendArgs != nullptr && sendArgs->headerIncludeHeaderLength != 0)
    return refuse(
        injection, STATUS_NOT_SUPPORTED,
        "a header of the caller's own (headerIncludeHeader) belongs to raw sockets, which wfptap does not have");
  return send_transport(injection, endpointHandle, flags, sendArgs, addressFamily, compartmentId);
}

NTSTATUS NTAPI FwpsInjectTransportReceiveAsync0(HANDLE injectionHandle, HANDLE injectionContext, PVOID reserved,
                                                UINT32 flags, ADDRESS_FAMILY addressFamily,
                                                COMPARTMENT_ID compartmentId, IF_INDEX interfaceIndex,
                                                IF_INDEX subInterfaceIndex, NET_BUFFER_LIST* netBufferList,
                                                FWPS_INJECT_COMPLETE0 completionFn, HANDLE completionContext) {
  UNREFERENCED_PARAMETER(reserved);
  if (flags != 0 || (addressFamily != AF_INET && addressFamily != AF_INET6)) return STATUS_INVALID_PARAMETER;
  inject::Injection injection =
      make("FwpsInjectTransportReceiveAsync0", injectionHandle, injectionContext, InjectPath::TransportReceive,
           FWPS_INJECTION_TYPE_TRANSPORT, netBufferList, completionFn, completionContext);
  injection.request.address_family = addressFamily;
  injection.request.compartment = compartmentId;
  injection.request.interface_index = interfaceIndex;
  injection.request.sub_interface_index = subInterfaceIndex;
  return inject_now(injection);
}

NTSTATUS NTAPI FwpsInjectNetworkSendAsync0(HANDLE injectionHandle, HANDLE injectionContext, UINT32 flags,
                                           COMPARTMENT_ID compartmentId, NET_BUFFER_LIST* netBufferList,
                                           FWPS_INJECT_COMPLETE0 completionFn, HANDLE completionContext) {
  inject::Injection injection =
      make("FwpsInjectNetworkSendAsync0", injectionHandle, injectionContext, InjectPath::NetworkSend,
           FWPS_INJECTION_TYPE_NETWORK, netBufferList, completionFn, completionContext);
  if (flags != 0) return refuse(injection, STATUS_INVALID_PARAMETER, kFlagsWhy);
  injection.request.compartment = compartmentId;
  return inject_now(injection);
}

NTSTATUS NTAPI FwpsInjectNetworkReceiveAsync0(HANDLE injectionHandle, HANDLE injectionContext, UINT32 flags,
                                              COMPARTMENT_ID compartmentId, IF_INDEX interfaceIndex,
                                              IF_INDEX subInterfaceIndex, NET_BUFFER_LIST* netBufferList,
                                              FWPS_INJECT_COMPLETE0 completionFn, HANDLE completionContext) {
  inject::Injection injection =
      make("FwpsInjectNetworkReceiveAsync0", injectionHandle, injectionContext, InjectPath::NetworkReceive,
           FWPS_INJECTION_TYPE_NETWORK, netBufferList, completionFn, completionContext);
  if (flags != 0) return refuse(injection, STATUS_INVALID_PARAMETER, kFlagsWhy);
  injection.request.compartment = compartmentId;
  injection.request.interface_index = interfaceIndex;
  injection.request.sub_interface_index = subInterfaceIndex;
  return inject_now(injection);
}

// --- paths that this stack does not have: nothing is taken ---

NTSTATUS NTAPI FwpsInjectForwardAsync0(HANDLE injectionHandle, HANDLE, UINT32, ADDRESS_FAMILY, COMPARTMENT_ID,
                                       IF_INDEX, NET_BUFFER_LIST* netBufferList, FWPS_INJECT_COMPLETE0 completionFn,
                                       HANDLE) {
  return not_built("FwpsInjectForwardAsync0", injectionHandle, InjectPath::NetworkSend, netBufferList, completionFn);
}

NTSTATUS NTAPI FwpsInjectMacReceiveAsync0(HANDLE injectionHandle, HANDLE, UINT32, UINT16, IF_INDEX, NDIS_PORT_NUMBER,
                                          NET_BUFFER_LIST* netBufferLists, FWPS_INJECT_COMPLETE0 completionFn,
                                          HANDLE) {
  return not_built("FwpsInjectMacReceiveAsync0", injectionHandle, InjectPath::NetworkReceive, netBufferLists,
                   completionFn);
}

NTSTATUS NTAPI FwpsInjectMacSendAsync0(HANDLE injectionHandle, HANDLE, UINT32, UINT16, IF_INDEX, NDIS_PORT_NUMBER,
                                       NET_BUFFER_LIST* netBufferLists, FWPS_INJECT_COMPLETE0 completionFn, HANDLE) {
  return not_built("FwpsInjectMacSendAsync0", injectionHandle, InjectPath::NetworkSend, netBufferLists, completionFn);
}

}  // extern "C"
