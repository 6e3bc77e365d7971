#include "wfp/inject/ip_header.hpp"

#include <algorithm>
#include <cstring>

#include "nt/ntstatus.h"
#include "wfp/inject/checksum.hpp"
#include "wfp/inject/ip_header_parts.hpp"
#include "wfp/ndis/chain.hpp"
#include "wfp/ndis/clone.hpp"
#include "wfp/ndis/offsets.hpp"
#include "ws2def.h"

namespace wfp::inject {
namespace {

// Shows one NET_BUFFER at a time as the packet: everything below works on the first one.
class OneBuffer {
 public:
  OneBuffer(NET_BUFFER_LIST& nbl, NET_BUFFER& nb) : nbl_(nbl), first_(nbl.FirstNetBuffer), nb_(nb), next_(nb.Next) {
    nbl.FirstNetBuffer = &nb;
    nb.Next = nullptr;
  }
  ~OneBuffer() {
    nb_.Next = next_;
    nbl_.FirstNetBuffer = first_;
  }
  OneBuffer(const OneBuffer&) = delete;
  OneBuffer& operator=(const OneBuffer&) = delete;

 private:
  NET_BUFFER_LIST& nbl_;
  NET_BUFFER* first_;
  NET_BUFFER& nb_;
  NET_BUFFER* next_;
};

// Data at the transport header: its checksum is finished, in bytes of the packet's own.
bool finish_transport(NET_BUFFER_LIST& nbl, const IpHeaderFacts& facts) {
  const TransportChecksum place = transport_checksum(facts.protocol, facts.address_family);
  if (place.header_size == 0) return true;
  if (!ndis::pull_up(nbl, place.header_size)) return false;
  std::byte* const header = ndis::contiguous(nbl, 0, place.header_size);
  store_be16(header + place.offset, 0);
  Checksum sum;
  if (place.has_pseudo_header) add_pseudo_header(sum, facts, ndis::data_length(nbl));
  ndis::for_each_range(nbl, [&](std::span<std::byte> range) { sum.add(range); });
  std::uint16_t value = sum.finish();
  if (value == 0 && place.zero_means_none) value = 0xffff;  // RFC 768
  store_be16(header + place.offset, value);
  return true;
}

NTSTATUS build_one(NET_BUFFER_LIST& nbl, const IpHeaderFacts& facts, std::uint16_t identification) {
  const std::size_t size = ndis::data_length(nbl);
  if (size < facts.old_header_size) return STATUS_INVALID_PARAMETER;
  const std::size_t transport_size = size - facts.old_header_size;
  const OldHeader old = read_old_header(nbl, facts);
  const std::size_t header_size = facts.address_family == AF_INET ? 20 + old.options_size : std::size_t{40};
  const std::size_t limit = facts.address_family == AF_INET ? 0xffff - header_size : std::size_t{0xffff};
  if (!old.is_valid || transport_size > limit ||
      transport_size < transport_checksum(facts.protocol, facts.address_family).header_size)
    return STATUS_INVALID_PARAMETER;

  ndis::advance(*nbl.FirstNetBuffer, facts.old_header_size);
  std::byte* header = nullptr;
  if (finish_transport(nbl, facts)) header = ndis::push(nbl, header_size);
  if (header == nullptr) {
    ndis::retreat(*nbl.FirstNetBuffer, facts.old_header_size);
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  if (facts.address_family == AF_INET)
    write_ipv4(header, facts, old, transport_size, identification);
  else
    write_ipv6(header, facts, old, transport_size);
  return STATUS_SUCCESS;
}

// Data at the IP header, which is as large as said.
std::size_t tcp_header_size(const NET_BUFFER_LIST& nbl, std::size_t ip_header_size) {
  std::byte offset{};
  ndis::copy_out(nbl, ip_header_size + 12, std::span(&offset, 1));
  return std::to_integer<std::size_t>(offset >> 4) * 4;
}

// The packet is finished now, so nothing is left for a device to do; except for cutting up a packet that is too large
// to be sent in one piece: the documented function turns that off, too, which would lose the packet. The protocol says
// what a slot means: that of UDP segmentation holds a count of joined segments when TCP was received.
void clear_offloads(NET_BUFFER_LIST& nbl, std::size_t header_size, int protocol) {
  NDIS_TCP_LARGE_SEND_OFFLOAD_NET_BUFFER_LIST_INFO large{};
  large.Value = nbl.NetBufferListInfo[TcpLargeSendNetBufferListInfo];
  NDIS_UDP_SEGMENTATION_OFFLOAD_NET_BUFFER_LIST_INFO large_udp{};
  large_udp.Value = nbl.NetBufferListInfo[UdpSegmentationOffloadInfo];
  ndis::clear_offload_information(nbl);
  const std::size_t transport_size = ndis::data_length(nbl) - header_size;
  if (protocol == IPPROTO_TCP && large.LsoV2Transmit.MSS != 0 &&
      transport_size > large.LsoV2Transmit.MSS + tcp_header_size(nbl, header_size)) {
    large.LsoV2Transmit.TcpHeaderOffset = static_cast<unsigned>(header_size) & 0x3ff;
    nbl.NetBufferListInfo[TcpLargeSendNetBufferListInfo] = large.Value;
  }
  if (protocol == IPPROTO_UDP && large_udp.Transmit.MSS != 0 && transport_size > large_udp.Transmit.MSS + 8u) {
    large_udp.Transmit.UdpHeaderOffset = static_cast<unsigned>(header_size) & 0x3ff;
    nbl.NetBufferListInfo[UdpSegmentationOffloadInfo] = large_udp.Value;
  }
}

}  // namespace

NTSTATUS IpHeaderBuilder::build(NET_BUFFER_LIST& nbl, const IpHeaderFacts& facts) {
  const bool is_known_family = facts.address_family == AF_INET || facts.address_family == AF_INET6;
  if (!is_known_family || facts.source == nullptr || facts.destination == nullptr || nbl.FirstNetBuffer == nullptr)
    return STATUS_INVALID_PARAMETER;
  if (facts.old_header_size != 0 && nbl.FirstNetBuffer->Next != nullptr) return STATUS_INVALID_PARAMETER;
  const std::size_t size_before = ndis::data_length(nbl);
  for (NET_BUFFER* nb = nbl.FirstNetBuffer; nb != nullptr;) {
    NET_BUFFER* const next = nb->Next;
    const OneBuffer only(nbl, *nb);
    const NTSTATUS status = build_one(nbl, facts, next_identification(facts));
    if (status != STATUS_SUCCESS) return status;
    nb = next;
  }
  const std::size_t transport_size = size_before - facts.old_header_size;
  clear_offloads(nbl, ndis::data_length(nbl) - transport_size, facts.protocol);
  return STATUS_SUCCESS;
}

// Unpredictable without the key, different for packets that follow each other (RFC 6864, RFC 7739 5.3).
std::uint16_t IpHeaderBuilder::next_identification(const IpHeaderFacts& facts) {
  const std::size_t size = facts.address_family == AF_INET ? 4 : 16;
  std::uint64_t pair = key_;
  for (std::size_t i = 0; i < size; ++i) {
    pair = (pair ^ facts.source[i]) * 0x9e37'79b9'7f4a'7c15;
    pair = (pair ^ (pair >> 29) ^ facts.destination[i]) * 0xbf58'476d'1ce4'e5b9;
  }
  const std::uint32_t start = static_cast<std::uint32_t>(pair >> 40);
  return static_cast<std::uint16_t>(start + counter_.fetch_add(1, std::memory_order_relaxed));
}

}  // namespace wfp::inject
