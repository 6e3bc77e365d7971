// What a received frame is worth when memory for frames runs out because callouts keep them: a host that answers
// nothing but address resolution is still there for its neighbours, one that answers pings and SYNs for everybody.
// Looks at headers only, and takes what it cannot read for ordinary.
#pragma once

#include "stack/base/bytes.hpp"
#include "stack/link/link.hpp"

namespace node {

enum class FrameClass : std::uint8_t {
  Ordinary,
  Control,     // ICMP, SYN
  Resolution,  // ARP, neighbour discovery
};

FrameClass classify_frame(stack::Bytes frame, stack::Medium medium);

}  // namespace node
