// The offload facts of a packet, to and from the out-of-band slots that drivers read: TcpIpChecksumNetBufferListInfo,
// TcpLargeSendNetBufferListInfo, TcpRecvSegCoalesceInfo.
#include "ndis/nbl.h"
#include "ndis/oob.h"
#include "stack/packet/packet.hpp"

namespace stack {
namespace {

constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
// Our own use of a reserved bit: the transport is neither TCP nor UDP (ICMP), for which NDIS has no flag.
constexpr ULONG kOtherTransport = 1;
// Behind the half of the slot that NDIS defines, so that a clone keeps it: verified, but the field was never finished.
constexpr std::uintptr_t kReceivedPartial = std::uintptr_t{1} << 32;

template <typename Info>
Info load(NET_BUFFER_LIST* nbl, int slot) {
  Info info{};
  info.Value = nbl->NetBufferListInfo[slot];
  return info;
}

// A sender's request names the IP version; a receiver's indication never sets those bits, which mean "failed" there:
// what failed is dropped before anybody looks.
bool is_request(const NDIS_TCP_IP_CHECKSUM_NET_BUFFER_LIST_INFO& info) {
  return info.Transmit.IsIPv4 != 0 || info.Transmit.IsIPv6 != 0;
}

}  // namespace

ChecksumInfo Packet::checksum() const {
  const auto info = load<NDIS_TCP_IP_CHECKSUM_NET_BUFFER_LIST_INFO>(nbl_, TcpIpChecksumNetBufferListInfo);
  if (is_request(info))
    return {.transport_partial = info.Transmit.TcpChecksum != 0 || info.Transmit.UdpChecksum != 0 ||
                                 info.Transmit.Reserved == kOtherTransport};
  return {.ip_verified = info.Receive.IpChecksumSucceeded != 0,
          .transport_verified = info.Receive.TcpChecksumSucceeded != 0 || info.Receive.UdpChecksumSucceeded != 0,
          .transport_partial = (reinterpret_cast<std::uintptr_t>(info.Value) & kReceivedPartial) != 0};
}

void Packet::set_checksum(ChecksumInfo wanted) {
  NDIS_TCP_IP_CHECKSUM_NET_BUFFER_LIST_INFO info{};
  info.Value = nullptr;
  const auto& facts = meta();
  if (wanted.transport_partial && !wanted.transport_verified) {
    info.Transmit.IsIPv4 = facts.family == Family::V4;
    info.Transmit.IsIPv6 = facts.family == Family::V6;
    info.Transmit.TcpChecksum = facts.protocol == kTcp;
    info.Transmit.UdpChecksum = facts.protocol == kUdp;
    if (facts.protocol != kTcp && facts.protocol != kUdp) info.Transmit.Reserved = kOtherTransport;
  } else {
    if (wanted.transport_partial) info.Value = reinterpret_cast<void*>(kReceivedPartial);
    // Before the headers are parsed the protocol is not known yet; the indication then vouches for either.
    info.Receive.IpChecksumSucceeded = wanted.ip_verified;
    info.Receive.TcpChecksumSucceeded = wanted.transport_verified && facts.protocol != kUdp;
    info.Receive.UdpChecksumSucceeded = wanted.transport_verified && facts.protocol != kTcp;
  }
  nbl_->NetBufferListInfo[TcpIpChecksumNetBufferListInfo] = info.Value;
}

LargeSend Packet::large_send() const {
  const auto info = load<NDIS_TCP_LARGE_SEND_OFFLOAD_NET_BUFFER_LIST_INFO>(nbl_, TcpLargeSendNetBufferListInfo);
  return {.segment_size = info.LsoV2Transmit.MSS};
}

void Packet::set_large_send(LargeSend wanted) {
  NDIS_TCP_LARGE_SEND_OFFLOAD_NET_BUFFER_LIST_INFO info{};
  info.Value = nullptr;
  if (wanted.segment_size != 0) {
    info.LsoV2Transmit.MSS = wanted.segment_size & 0xf'ffff;
    info.LsoV2Transmit.Type = NDIS_TCP_LARGE_SEND_OFFLOAD_V2_TYPE;
    info.LsoV2Transmit.IPVersion =
        meta().family == Family::V4 ? NDIS_TCP_LARGE_SEND_OFFLOAD_IPv4 : NDIS_TCP_LARGE_SEND_OFFLOAD_IPv6;
  }
  nbl_->NetBufferListInfo[TcpLargeSendNetBufferListInfo] = info.Value;
}

// The slot is as wide as a pointer and NDIS defines half of it; the other half carries the segment size, so that a
// clone keeps it.
Coalesced Packet::coalesced() const {
  const auto value = reinterpret_cast<std::uintptr_t>(nbl_->NetBufferListInfo[TcpRecvSegCoalesceInfo]);
  return {.segment_count = static_cast<std::uint16_t>(value),
          .segment_size = static_cast<std::uint16_t>(value >> 32)};
}

void Packet::set_coalesced(Coalesced wanted) {
  const auto value = std::uintptr_t{wanted.segment_size} << 32 | wanted.segment_count;
  nbl_->NetBufferListInfo[TcpRecvSegCoalesceInfo] = reinterpret_cast<void*>(value);
}

}  // namespace stack
