#include "src/shim/discard_reason.hpp"

#include "stack/base/assert.hpp"
#include "wfp/inject/inject_status.hpp"

namespace shim {
namespace {

using stack::Drop;

DiscardReason network(IP_DISCARD_REASON reason) {
  return {FWPS_DISCARD_MODULE_NETWORK, static_cast<std::uint32_t>(reason)};
}
DiscardReason transport(INET_DISCARD_REASON reason) {
  return {FWPS_DISCARD_MODULE_TRANSPORT, static_cast<std::uint32_t>(reason)};
}
DiscardReason policy() { return {FWPS_DISCARD_MODULE_GENERAL, FWPS_DISCARD_FIREWALL_POLICY}; }

// The reasons that a transport protocol has for itself; others of its drops are the network layer's.
bool transport_reason(Drop drop, DiscardReason& reason) {
  switch (drop) {
    case Drop::NoEndpoint:
      reason = transport(InetDiscardEndpointNotFound);
      return true;
    case Drop::BadChecksum:
      reason = transport(InetDiscardChecksumInvalid);
      return true;
    case Drop::TruncatedHeader:
    case Drop::BadHeaderLength:
    case Drop::BadLength:
    case Drop::BadOption:
      reason = transport(InetDiscardHeaderInvalid);
      return true;
    case Drop::BadDestinationAddress:
      reason = transport(InetDiscardDestinationMulticast);
      return true;
    case Drop::BadSourceAddress:
      reason = transport(InetDiscardSourceUnspecified);
      return true;
    case Drop::TcpUnacceptable:
      reason = transport(InetDiscardOutsideWindow);
      return true;
    case Drop::TcpPaws:
    case Drop::TcpTimestampMissing:
      reason = transport(InetDiscardPawsFailed);
      return true;
    case Drop::TcpAfterClose:
      reason = transport(InetDiscardFinReceived);
      return true;
    case Drop::BadCookie:
      reason = transport(InetDiscardAckInvalid);
      return true;
    case Drop::ListenQueueFull:
      reason = transport(InetDiscardReasonPauseAccept);
      return true;
    case Drop::TcpOutOfOrderLimit:
    case Drop::ReceiveMemory:
      reason = transport(InetDiscardClosedWindow);
      return true;
    case Drop::ConnectionLimit:
    case Drop::FlowLimit:
    case Drop::PendLimit:
      reason = transport(InetDiscardReasonSynAttack);
      return true;
    case Drop::PendRetransmission:
      reason = transport(InetDiscardDuplicateSegment);
      return true;
    default:
      return false;
  }
}

DiscardReason network_reason(Drop drop) {
  switch (drop) {
    case Drop::TruncatedHeader:
    case Drop::BadHeaderLength:
    case Drop::BadVersion:
    case Drop::BadOption:
    case Drop::SourceRouted:
    case Drop::IcmpInvalid:
    case Drop::NeighborInvalid:
      return network(IpDiscardMalformedHeader);
    case Drop::BadLength:
    case Drop::FragmentOverlap:
    case Drop::FragmentTooLarge:
      return network(IpDiscardBadLength);
    case Drop::BadChecksum:
      return network(IpDiscardBadChecksum);
    case Drop::BadOffload:
      return network(IpDiscardUnsupportedOffload);
    case Drop::NotForUs:
    case Drop::BadDestinationAddress:
      return network(IpDiscardNotLocallyDestined);
    case Drop::BadSourceAddress:
    case Drop::NoSourceAddress:
      return network(IpDiscardBadSourceAddress);
    case Drop::HopLimitExceeded:
      return network(IpDiscardHopLimitExceeded);
    case Drop::UnknownProtocol:
    case Drop::UnknownEtherType:
      return network(IpDiscardProtocolUnreachable);
    case Drop::NoEndpoint:
      return network(IpDiscardPortUnreachable);
    case Drop::NoRoute:
      return network(IpDiscardNoRoute);
    case Drop::PacketTooBig:
      return network(IpDiscardDontFragmentMtuExceeded);
    case Drop::NeighborUnreachable:
      return network(IpDiscardAddressResolutionFailure);
    case Drop::Blocked:
    case Drop::AuthorizationDenied:
      return policy();
    case Drop::Absorbed:
      return network(IpDiscardInspectionAbsorb);
    default:
      return network(IpDiscardAllocationFailure);  // limits, shortages, shutdown: no room for the packet
  }
}

}  // namespace

DiscardReason discard_reason(Drop drop, bool at_transport) {
  DiscardReason reason;
  if (at_transport && transport_reason(drop, reason)) return reason;
  return network_reason(drop);
}

NTSTATUS drop_status(Drop drop) {
  switch (drop) {
    case Drop::EndpointGone:
      return wfp::inject::kEndpointGoneStatus;
    case Drop::InjectionHopLimit:
      return wfp::inject::kTooManyHopsStatus;
    case Drop::Blocked:
    case Drop::AuthorizationDenied:
      return STATUS_ACCESS_DENIED;
    case Drop::Absorbed:
      return STATUS_SUCCESS;  // a callout has it now
    case Drop::NoRoute:
    case Drop::NoSourceAddress:
      return STATUS_NETWORK_UNREACHABLE;
    case Drop::NeighborUnreachable:
      return STATUS_HOST_UNREACHABLE;
    case Drop::UnknownProtocol:
      return STATUS_PROTOCOL_UNREACHABLE;
    case Drop::NoEndpoint:
      return STATUS_PORT_UNREACHABLE;
    case Drop::TruncatedHeader:
    case Drop::BadHeaderLength:
    case Drop::BadVersion:
    case Drop::BadChecksum:
    case Drop::BadLength:
    case Drop::BadOption:
    case Drop::InjectionInvalid:
      return wfp::inject::kMalformedStatus;
    case Drop::Shutdown:
      return STATUS_CANCELLED;
    case Drop::NoBuffers:
    case Drop::TransmitQueueFull:
    case Drop::NeighborQueueFull:
    case Drop::SendQueueFull:
      return STATUS_INSUFFICIENT_RESOURCES;
    default:
      return STATUS_UNSUCCESSFUL;
  }
}

}  // namespace shim
