// The live stream of classify calls: one record for every layer that was asked about a packet or an operation.
// Whoever prints, writes or counts them implements TraceSink. A sink arms every layer, also those without a filter.
//
// Records are made on the processor's thread and valid during the call: copy what is to be kept. The two structures
// are the very ones that callouts were given; a sink that prints their members includes fwpsk.h in its .cpp file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "stack/base/address.hpp"
#include "stack/packet/packet_meta.hpp"

struct FWPS_INCOMING_METADATA_VALUES0_;
struct FWPS_INCOMING_VALUES0_;

namespace shim {

// One end of a packet or operation in words: with a port where its protocol, TCP or UDP, has ports.
inline std::string end_text(std::uint8_t protocol, const stack::SocketAddress& end) {
  return protocol == 6 || protocol == 17 ? end.to_string() : end.address.to_string();
}

struct CalloutCall {
  std::uint64_t filter_id = 0;
  std::uint32_t callout_id = 0;
  std::string_view action;  // permit, block, continue, none; fault: it has not come back
};

struct TraceRecord {
  std::int64_t time_ns = 0;
  std::uint16_t layer_id = 0;   // FWPS_LAYER_*
  std::string_view layer_name;  // FWPS_LAYER_OUTBOUND_TRANSPORT_V4
  stack::Direction direction = stack::Direction::Inbound;
  std::string_view
      origin;  // which part of the stack made the packet: tcp.reset; "operation" where there is no packet
  std::uint8_t protocol = 0;
  stack::SocketAddress local;   // ICMP: the port is its type
  stack::SocketAddress remote;  // ICMP: its code
  std::uint8_t tcp_flags = 0;
  std::uint32_t length = 0;  // bytes from where the data starts at this layer
  bool has_packet = false;
  const FWPS_INCOMING_METADATA_VALUES0_* metadata = nullptr;
  const FWPS_INCOMING_VALUES0_* values = nullptr;
  std::uint64_t filter_id = 0;   // that decided; 0: none matched
  std::uint32_t callout_id = 0;  // that decided; 0: the filter itself
  std::string_view action;       // permit, block; fault: a callout ended the program
  bool matched = false;          // some filter gave a decision
  bool absorb = false;
  bool pended = false;
  // What FwpsQueryPacketInjectionState0 tells the handle's owner: none; injected (..._INJECTED_BY_SELF); inherited
  // (..._PREVIOUSLY_INJECTED_BY_SELF: not itself, but one that it was cloned from).
  std::string_view injection_state;
  std::span<const CalloutCall> callouts;  // all that were asked, in order; at most 16
};

class TraceSink {
 public:
  virtual ~TraceSink() = default;
  virtual void classified(const TraceRecord& record) = 0;
};

}  // namespace shim
