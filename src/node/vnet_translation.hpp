// Between the stack's offload facts about a packet and the virtio-net header in front of a frame.
#pragma once

#include "stack/packet/packet.hpp"
#include "tap/offload.hpp"

namespace node {

// A received frame: what its header says goes into the packet's facts.
void apply_received(const tap::VnetHeader& header, stack::Packet& frame);

// A frame to send, data at the link header, meta with the sizes of its link, IP and transport headers.
tap::VnetHeader make_vnet_header(const stack::Packet& frame);

// Finishes the transport checksum that `header` says is open, in a copy of the frame: for the capture. The kernel, or
// the link behind it, finishes the one in the frame itself.
void finish_frame_checksum(const tap::VnetHeader& header, stack::MutableBytes frame);

}  // namespace node
