// The table of built-in layers: number, key, kind, family, direction, fields. One line a layer, in the order of the
// numbers. Source: documented management and run-time layer identifiers.
#include "fwpm/layers.h"
#include "wfp/model/layer.hpp"

namespace wfp::model {
namespace {

using enum LayerKind;
using enum IpFamily;
using enum LayerDirection;

const Fields kNoFields;

// clang-format off
#define LAYER(id, name, ...) {id, "FWPS_LAYER_" #name, &FWPM_LAYER_##name, __VA_ARGS__}
const Layer kLayers[kLayerCount] = {
    LAYER(0, INBOUND_IPPACKET_V4, IpPacket, V4, Inbound, false, &kFieldsInboundIpPacket),
    LAYER(1, INBOUND_IPPACKET_V4_DISCARD, IpPacket, V4, Inbound, true, &kFieldsInboundIpPacket),
    LAYER(2, INBOUND_IPPACKET_V6, IpPacket, V6, Inbound, false, &kFieldsInboundIpPacket),
    LAYER(3, INBOUND_IPPACKET_V6_DISCARD, IpPacket, V6, Inbound, true, &kFieldsInboundIpPacket),
    LAYER(4, OUTBOUND_IPPACKET_V4, IpPacket, V4, Outbound, false, &kFieldsOutboundIpPacket),
    LAYER(5, OUTBOUND_IPPACKET_V4_DISCARD, IpPacket, V4, Outbound, true, &kFieldsOutboundIpPacket),
    LAYER(6, OUTBOUND_IPPACKET_V6, IpPacket, V6, Outbound, false, &kFieldsOutboundIpPacket),
    LAYER(7, OUTBOUND_IPPACKET_V6_DISCARD, IpPacket, V6, Outbound, true, &kFieldsOutboundIpPacket),
    LAYER(8, IPFORWARD_V4, IpForward, V4, Forward, false, &kFieldsIpForward),
    LAYER(9, IPFORWARD_V4_DISCARD, IpForward, V4, Forward, true, &kFieldsIpForward),
    LAYER(10, IPFORWARD_V6, IpForward, V6, Forward, false, &kFieldsIpForward),
    LAYER(11, IPFORWARD_V6_DISCARD, IpForward, V6, Forward, true, &kFieldsIpForward),
    LAYER(12, INBOUND_TRANSPORT_V4, Transport, V4, Inbound, false, &kFieldsInboundTransport),
    LAYER(13, INBOUND_TRANSPORT_V4_DISCARD, Transport, V4, Inbound, true, &kFieldsInboundTransport),
    LAYER(14, INBOUND_TRANSPORT_V6, Transport, V6, Inbound, false, &kFieldsInboundTransport),
    LAYER(15, INBOUND_TRANSPORT_V6_DISCARD, Transport, V6, Inbound, true, &kFieldsInboundTransport),
    LAYER(16, OUTBOUND_TRANSPORT_V4, Transport, V4, Outbound, false, &kFieldsOutboundTransport),
    LAYER(17, OUTBOUND_TRANSPORT_V4_DISCARD, Transport, V4, Outbound, true, &kFieldsOutboundTransport),
    LAYER(18, OUTBOUND_TRANSPORT_V6, Transport, V6, Outbound, false, &kFieldsOutboundTransport),
    LAYER(19, OUTBOUND_TRANSPORT_V6_DISCARD, Transport, V6, Outbound, true, &kFieldsOutboundTransport),
    LAYER(20, STREAM_V4, Stream, V4, Both, false, &kFieldsStream),
    LAYER(21, STREAM_V4_DISCARD, Stream, V4, Both, true, &kFieldsStream),
    LAYER(22, STREAM_V6, Stream, V6, Both, false, &kFieldsStream),
    LAYER(23, STREAM_V6_DISCARD, Stream, V6, Both, true, &kFieldsStream),
    LAYER(24, DATAGRAM_DATA_V4, DatagramData, V4, Both, false, &kFieldsDatagramData),
    LAYER(25, DATAGRAM_DATA_V4_DISCARD, DatagramData, V4, Both, true, &kFieldsDatagramData),
    LAYER(26, DATAGRAM_DATA_V6, DatagramData, V6, Both, false, &kFieldsDatagramData),
    LAYER(27, DATAGRAM_DATA_V6_DISCARD, DatagramData, V6, Both, true, &kFieldsDatagramData),
    LAYER(28, INBOUND_ICMP_ERROR_V4, IcmpError, V4, Inbound, false, &kFieldsInboundIcmpError),
    LAYER(29, INBOUND_ICMP_ERROR_V4_DISCARD, IcmpError, V4, Inbound, true, &kFieldsInboundIcmpError),
    LAYER(30, INBOUND_ICMP_ERROR_V6, IcmpError, V6, Inbound, false, &kFieldsInboundIcmpError),
    LAYER(31, INBOUND_ICMP_ERROR_V6_DISCARD, IcmpError, V6, Inbound, true, &kFieldsInboundIcmpError),
    LAYER(32, OUTBOUND_ICMP_ERROR_V4, IcmpError, V4, Outbound, false, &kFieldsOutboundIcmpError),
    LAYER(33, OUTBOUND_ICMP_ERROR_V4_DISCARD, IcmpError, V4, Outbound, true, &kFieldsOutboundIcmpError),
    LAYER(34, OUTBOUND_ICMP_ERROR_V6, IcmpError, V6, Outbound, false, &kFieldsOutboundIcmpError),
    LAYER(35, OUTBOUND_ICMP_ERROR_V6_DISCARD, IcmpError, V6, Outbound, true, &kFieldsOutboundIcmpError),
    LAYER(36, ALE_RESOURCE_ASSIGNMENT_V4, ResourceAssignment, V4, NoPacket, false, &kFieldsResourceAssignment),
    LAYER(37, ALE_RESOURCE_ASSIGNMENT_V4_DISCARD, ResourceAssignment, V4, NoPacket, true, &kFieldsResourceAssignment),
    LAYER(38, ALE_RESOURCE_ASSIGNMENT_V6, ResourceAssignment, V6, NoPacket, false, &kFieldsResourceAssignment),
    LAYER(39, ALE_RESOURCE_ASSIGNMENT_V6_DISCARD, ResourceAssignment, V6, NoPacket, true, &kFieldsResourceAssignment),
    LAYER(40, ALE_AUTH_LISTEN_V4, AuthListen, V4, NoPacket, false, &kFieldsAuthListen),
    LAYER(41, ALE_AUTH_LISTEN_V4_DISCARD, AuthListen, V4, NoPacket, true, &kFieldsAuthListen),
    LAYER(42, ALE_AUTH_LISTEN_V6, AuthListen, V6, NoPacket, false, &kFieldsAuthListen),
    LAYER(43, ALE_AUTH_LISTEN_V6_DISCARD, AuthListen, V6, NoPacket, true, &kFieldsAuthListen),
    LAYER(44, ALE_AUTH_RECV_ACCEPT_V4, AuthRecvAccept, V4, Inbound, false, &kFieldsAuthRecvAccept),
    LAYER(45, ALE_AUTH_RECV_ACCEPT_V4_DISCARD, AuthRecvAccept, V4, Inbound, true, &kFieldsAuthRecvAccept),
    LAYER(46, ALE_AUTH_RECV_ACCEPT_V6, AuthRecvAccept, V6, Inbound, false, &kFieldsAuthRecvAccept),
    LAYER(47, ALE_AUTH_RECV_ACCEPT_V6_DISCARD, AuthRecvAccept, V6, Inbound, true, &kFieldsAuthRecvAccept),
    LAYER(48, ALE_AUTH_CONNECT_V4, AuthConnect, V4, Outbound, false, &kFieldsAuthConnect),
    LAYER(49, ALE_AUTH_CONNECT_V4_DISCARD, AuthConnect, V4, Outbound, true, &kFieldsAuthConnect),
    LAYER(50, ALE_AUTH_CONNECT_V6, AuthConnect, V6, Outbound, false, &kFieldsAuthConnect),
    LAYER(51, ALE_AUTH_CONNECT_V6_DISCARD, AuthConnect, V6, Outbound, true, &kFieldsAuthConnect),
    LAYER(52, ALE_FLOW_ESTABLISHED_V4, FlowEstablished, V4, Both, false, &kFieldsFlowEstablished),
    LAYER(53, ALE_FLOW_ESTABLISHED_V4_DISCARD, FlowEstablished, V4, Both, true, &kFieldsFlowEstablished),
    LAYER(54, ALE_FLOW_ESTABLISHED_V6, FlowEstablished, V6, Both, false, &kFieldsFlowEstablished),
    LAYER(55, ALE_FLOW_ESTABLISHED_V6_DISCARD, FlowEstablished, V6, Both, true, &kFieldsFlowEstablished),
    LAYER(56, INBOUND_MAC_FRAME_ETHERNET, MacFrame, NoFamily, Inbound, false, &kFieldsMacEthernet),
    LAYER(57, OUTBOUND_MAC_FRAME_ETHERNET, MacFrame, NoFamily, Outbound, false, &kFieldsMacEthernet),
    LAYER(58, INBOUND_MAC_FRAME_NATIVE, MacFrame, NoFamily, Inbound, false, &kFieldsMacNative),
    LAYER(59, OUTBOUND_MAC_FRAME_NATIVE, MacFrame, NoFamily, Outbound, false, &kFieldsMacNative),
    LAYER(60, NAME_RESOLUTION_CACHE_V4, NameResolutionCache, V4, NoPacket, false, &kFieldsNameResolutionCache),
    LAYER(61, NAME_RESOLUTION_CACHE_V6, NameResolutionCache, V6, NoPacket, false, &kFieldsNameResolutionCache),
    LAYER(62, ALE_RESOURCE_RELEASE_V4, ResourceRelease, V4, NoPacket, false, &kFieldsResourceRelease),
    LAYER(63, ALE_RESOURCE_RELEASE_V6, ResourceRelease, V6, NoPacket, false, &kFieldsResourceRelease),
    LAYER(64, ALE_ENDPOINT_CLOSURE_V4, EndpointClosure, V4, NoPacket, false, &kFieldsEndpointClosure),
    LAYER(65, ALE_ENDPOINT_CLOSURE_V6, EndpointClosure, V6, NoPacket, false, &kFieldsEndpointClosure),
    LAYER(66, ALE_CONNECT_REDIRECT_V4, ConnectRedirect, V4, Outbound, false, &kFieldsConnectRedirect),
    LAYER(67, ALE_CONNECT_REDIRECT_V6, ConnectRedirect, V6, Outbound, false, &kFieldsConnectRedirect),
    LAYER(68, ALE_BIND_REDIRECT_V4, BindRedirect, V4, NoPacket, false, &kFieldsBindRedirect),
    LAYER(69, ALE_BIND_REDIRECT_V6, BindRedirect, V6, NoPacket, false, &kFieldsBindRedirect),
    LAYER(70, STREAM_PACKET_V4, StreamPacket, V4, Both, false, &kFieldsStreamPacket),
    LAYER(71, STREAM_PACKET_V6, StreamPacket, V6, Both, false, &kFieldsStreamPacket),
    LAYER(72, INGRESS_VSWITCH_ETHERNET, Vswitch, NoFamily, Inbound, false, &kFieldsIngressVswitchEthernet),
    LAYER(73, EGRESS_VSWITCH_ETHERNET, Vswitch, NoFamily, Outbound, false, &kFieldsEgressVswitchEthernet),
    LAYER(74, INGRESS_VSWITCH_TRANSPORT_V4, Vswitch, V4, Inbound, false, &kFieldsIngressVswitchTransport),
    LAYER(75, INGRESS_VSWITCH_TRANSPORT_V6, Vswitch, V6, Inbound, false, &kFieldsIngressVswitchTransport),
    LAYER(76, EGRESS_VSWITCH_TRANSPORT_V4, Vswitch, V4, Outbound, false, &kFieldsEgressVswitchTransport),
    LAYER(77, EGRESS_VSWITCH_TRANSPORT_V6, Vswitch, V6, Outbound, false, &kFieldsEgressVswitchTransport),
    LAYER(78, INBOUND_TRANSPORT_FAST, Reserved, NoFamily, Inbound, false, &kNoFields),
    LAYER(79, OUTBOUND_TRANSPORT_FAST, Reserved, NoFamily, Outbound, false, &kNoFields),
    LAYER(80, INBOUND_MAC_FRAME_NATIVE_FAST, Reserved, NoFamily, Inbound, false, &kNoFields),
    LAYER(81, OUTBOUND_MAC_FRAME_NATIVE_FAST, Reserved, NoFamily, Outbound, false, &kNoFields),
};
#undef LAYER
// clang-format on

}  // namespace

std::span<const Layer, kLayerCount> layers() { return kLayers; }

}  // namespace wfp::model
