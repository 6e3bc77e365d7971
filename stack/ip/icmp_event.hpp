// Reads what an ICMP error of either family says about the packet that it quotes. No state.
#pragma once

#include "stack/base/result.hpp"
#include "stack/ip/transport_sink.hpp"

namespace stack::ip {

struct QuotedEvent {
  PathEvent event;                // mtu as reported
  std::uint32_t quoted_size = 0;  // of the whole packet that is quoted, as its header says
};

// `quoted`: from the quoted IP header on. IcmpInvalid: not an error that a transport acts on, or too little is
// quoted.
Result<QuotedEvent> read_path_event(Family family, std::uint8_t type, std::uint8_t code, std::uint32_t rest,
                                    Bytes quoted);

}  // namespace stack::ip
