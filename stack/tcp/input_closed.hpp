// A segment for which there is no connection (RFC 9293 3.10.7.1): the one answer is a RST, and a RST gets none.
#pragma once

#include <optional>

#include "stack/tcp/segment.hpp"

namespace stack::tcp {

// The fields of a segment that is sent without a connection.
struct Answer {
  Seq seq{};
  Seq ack_number{};
  std::uint8_t flags = 0;
  std::uint16_t window = 0;
  wire::TcpOptions options{};
};

// Empty for a RST. Echoes the peer's timestamp with a value of zero (RFC 7323 5.2), where this host uses timestamps.
std::optional<Answer> reset_for(const Segment& segment, bool timestamps);

}  // namespace stack::tcp
