// The part of a hook's context that IP knows, built from a packet's metadata. A transport adds ports, ICMP numbers,
// TCP flags and the endpoint. Build one only for an armed hook or a discard.
#pragma once

#include "stack/hooks/authorizer.hpp"
#include "stack/ip/address_table.hpp"
#include "stack/ip/ip_sender.hpp"

namespace stack::ip {

// For a packet on its way in: meta as TransportSink::receive describes it.
PacketContext make_inbound_context(Hook hook, const PacketMeta& meta, const AddressTable& addresses);

// For a packet on its way out, with everything that its sender said.
PacketContext make_outbound_context(Hook hook, const PacketMeta& meta, const SendFacts& facts, const Route& route,
                                    const AddressTable& addresses);

// Writes what a sender said into its packet's metadata. The packet has no IP header yet.
void fill_outbound_meta(PacketMeta& meta, const SendFacts& facts, const Route& route);

// An accept or connect as the hooks' context tells it; the caller adds what only it knows.
Operation make_flow_operation(const PacketContext& context);

}  // namespace stack::ip
