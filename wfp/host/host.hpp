// What the callout side needs from any network stack, in its own words. src/shim implements it over stack::Injector and the
// stack's executor; tests have a fake. Nothing in wfp/ knows what a TCB is.
//
// Threads: functions marked [any] may be called from any thread; the rest only on the processor's thread, the one that runs
// the stack, between packets.
#pragma once

#include <cstdint>
#include <string>

#include "wfp/ndis/nbl.hpp"

namespace wfp {

// Re-entry points of an injected packet: bottom of the receive path or top of the send path.
enum class InjectPath : std::uint8_t { NetworkReceive, TransportReceive, NetworkSend, TransportSend };

struct InjectRequest {
  InjectPath path = InjectPath::NetworkReceive;
  NET_BUFFER_LIST* nbl = nullptr;        // data at the IP header; TransportSend: at the transport header
  std::uint16_t address_family = 0;      // AF_INET or AF_INET6
  std::uint64_t endpoint = 0;            // TransportSend: transportEndpointHandle
  std::uint8_t remote_address[16] = {};  // TransportSend: network order
  std::uint32_t remote_scope_id = 0;
  std::uint32_t interface_index = 0;  // receive paths
  std::uint32_t sub_interface_index = 0;
  std::uint32_t compartment = 0;
};

class Host {
 public:
  virtual ~Host() = default;

  // Hands a packet to the stack's injector; the request's single NBL reference goes with it. The stack's last release ends
  // in the release handler that wfp/inject put on the NBL; NBL->Status then says what became of it.
  virtual void inject(const InjectRequest& request) = 0;

  // A packet that was injected too often (wfp/inject): taken as above, and dropped under a reason of its own.
  virtual void drop_looping(const InjectRequest& request) = 0;

  // One line about a packet that is or is to be injected, from its bytes and what it was cloned from; "": nothing is known.
  // Changes nothing. [any]
  virtual std::string describe(const InjectRequest& request) const = 0;

  // A pended operation may go on: classify it again now, before returning (completion is synchronous). Unknown tickets are ignored.
  virtual void resume(std::uint64_t ticket) = 0;

  virtual void abort_flow(std::uint64_t flow) = 0;

  // The set of layers that need a classify (filters, or tracing) has changed. [any]
  virtual void layers_changed() = 0;

  // There is work in a queue of ours: run it between packets, soon. [any]
  virtual void wake() = 0;

  virtual bool on_processor_thread() const = 0;  // [any]
  virtual std::int64_t now_ns() const = 0;       // [any] the clock that the whole system runs on
};

}  // namespace wfp
