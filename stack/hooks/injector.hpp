// How a packet from outside enters the stack. Nothing runs inline: a packet is queued (bounded) and processed by the
// stack's thread after what it does now. Call on the stack's thread; others post through its Executor.
//
// What becomes of the packet is told through its owner: the DiscardObserver sees it if it is dropped, and the last
// release of its NET_BUFFER_LIST says that the stack is done with it.
#pragma once

#include "stack/base/handle.hpp"
#include "stack/packet/packet.hpp"

namespace stack {

class Injector {
 public:
  virtual ~Injector() = default;

  // Data at the IP header. Re-enters at the bottom of the receive path, all hooks again. `interface_index` is where
  // it came in; checksums are verified unless the packet's facts say that they were.
  virtual void receive(Packet packet, InterfaceIndex interface_index) = 0;

  // Data at the transport header. Re-enters at the transport-out hook on behalf of `endpoint`, which must be alive
  // when the packet is processed: otherwise it is dropped as Drop::EndpointGone. The control endpoint may send any
  // tuple.
  virtual void send_transport(Packet packet, EndpointId endpoint, const IpAddress& remote, std::uint8_t protocol) = 0;

  // Data at the IP header, which is taken as it is. Passes the transport-out and IP-out hooks as any other packet.
  virtual void send_network(Packet packet) = 0;
};

}  // namespace stack
