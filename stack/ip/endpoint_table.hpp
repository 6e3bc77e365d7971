// The endpoints of one stack by handle, whatever their transport: one table, so that an EndpointId is unique among
// TCP and UDP, and so that a packet injected on behalf of an endpoint finds whether that one is still alive and what
// stands behind it.
//
// A transport embeds an EndpointRecord in its endpoint, inserts it when the endpoint comes to life and erases it when
// the handle dies. Used on the stack's thread.
#pragma once

#include "stack/base/handle.hpp"
#include "stack/hooks/hook.hpp"

namespace stack::ip {

struct EndpointRecord {
  std::uint8_t protocol = 0;
  SocketAddress local;     // unspecified address: any
  SocketAddress remote;    // port 0: none (listening, unconnected)
  EndpointFacts facts;     // match is Live while the record is in the table; facts.endpoint is its own handle
  const char* state = "";  // RFC 9293's name of the state; "bound" for UDP
};

using EndpointTable = SlotTable<EndpointRecord, EndpointTag>;

}  // namespace stack::ip
