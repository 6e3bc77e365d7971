// From a packet to the connection that it belongs to: checks, demultiplexing, the transport-in hook, and the answers
// to segments that belong to none.
#include <algorithm>

#include "stack/ip/packet_context.hpp"
#include "stack/ip/transport_checksum.hpp"
#include "stack/tcp/input_listen.hpp"
#include "stack/tcp/segment_builder.hpp"
#include "stack/tcp/tcp.hpp"

namespace stack::tcp {
namespace {

bool is_group(const IpAddress& address) { return address.is_multicast() || address.is_broadcast(); }

EndpointFacts time_wait_facts() {
  EndpointFacts facts;
  facts.match = EndpointMatch::TimeWait;
  return facts;
}

}  // namespace

void Tcp::receive(Packet packet, Instant now) {
  const PacketMeta& meta = packet.meta();
  Inbound inbound{.tuple = {{meta.destination, 0}, {meta.source, 0}}, .segment = {}};
  const auto view = wire::TcpView::parse(packet.head(std::min(packet.size(), wire::TcpView::kMaxHeaderSize)));
  if (view) {
    inbound.tuple.local.port = view->dst_port();
    inbound.tuple.remote.port = view->src_port();
  }
  const bool is_sound = view && ip::is_transport_checksum_valid(packet);
  if (!is_sound || meta.link_broadcast || is_group(meta.destination)) {
    inbound.segment.packet = std::move(packet);
    discard(inbound, !view ? view.drop() : !is_sound ? Drop::BadChecksum : Drop::NotForUs);
    return;
  }
  inbound.segment = Segment::take(*view, std::move(packet));
  dispatch(inbound, now);
}

void Tcp::dispatch(Inbound& inbound, Instant now) {
  if (Demux::Entry* entry = demux_.find(inbound.tuple)) {
    if (const EndpointPtr* found = std::get_if<EndpointPtr>(entry)) {
      const EndpointPtr endpoint = *found;
      if (endpoint->state() != State::Closed) return to_endpoint(endpoint, inbound, now);
      return no_endpoint(inbound, Drop::NoEndpoint, now);  // an active open that is not allowed yet
    }
    const auto listener = demux_.find_listener(inbound.tuple.local);
    const bool reopens = listener != nullptr && may_reopen(*std::get<TimeWaitTable::Block>(*entry), inbound.segment);
    if (!reopens) return to_time_wait(inbound, now);
  }
  // No connection vouches for the addresses here. RFC 9293 3.9.2.3: none of them may be a group's.
  const PacketMeta& meta = inbound.segment.packet.meta();
  if (parts_.addresses.kind_of(inbound.tuple.local.address, meta.interface_index) != AddressKind::Unicast) {
    discard(inbound, Drop::NotForUs);
    return;
  }
  const auto listener = demux_.find_listener(inbound.tuple.local);
  if (listener != nullptr) return to_listener(listener, inbound, now);
  no_endpoint(inbound, Drop::NoEndpoint, now);
}

// --- hooks ---

PacketContext Tcp::context_of(const FourTuple& tuple, const Segment& segment, const EndpointFacts& facts) const {
  PacketContext context = ip::make_inbound_context(Hook::TransportIn, segment.packet.meta(), parts_.addresses);
  context.local_port = tuple.local.port;
  context.remote_port = tuple.remote.port;
  context.tcp_flags = segment.flags;
  context.endpoint = facts;
  return context;
}

PacketContext Tcp::context_of(const Inbound& inbound) const {
  PacketContext context = context_of(inbound.tuple, inbound.segment, inbound.facts);
  context.needs_authorization = inbound.needs_authorization;
  return context;
}

bool Tcp::inspect(Inbound& inbound) {
  if (!parts_.hooks.armed(Hook::TransportIn, inbound.tuple.local.address.family())) return true;
  const PacketContext context = context_of(inbound);
  auto kept = parts_.hooks.inspect(std::move(inbound.segment.packet), context);
  if (!kept) return false;
  inbound.segment.packet = std::move(*kept);
  return true;
}

void Tcp::discard(Inbound& inbound, Drop reason) { may_answer_after_discard(inbound, reason); }

bool Tcp::may_answer_after_discard(Inbound& inbound, Drop reason) {
  const PacketContext context = context_of(inbound);
  return parts_.hooks.discard(std::move(inbound.segment.packet), reason, context);
}

// --- the four destinations; listeners are in admission.cpp ---

void Tcp::no_endpoint(Inbound& inbound, Drop reason, Instant now) {
  inbound.facts = {};
  inbound.needs_authorization = false;
  const auto reset = reset_for(inbound.segment, config_.timestamps);
  const PacketMeta& meta = inbound.segment.packet.meta();
  const bool may_answer =
      parts_.addresses.kind_of(inbound.tuple.remote.address, meta.interface_index) == AddressKind::Unicast;
  const bool is_wanted = may_answer_after_discard(inbound, reason);
  if (reset && may_answer && is_wanted) answer(inbound.tuple, *reset, Origin::TcpReset, {}, now);
}

void Tcp::to_endpoint(const EndpointPtr& endpoint, Inbound& inbound, Instant now) {
  inbound.facts = endpoint->facts();
  if (!inspect(inbound)) return;
  if (endpoint->state() == State::Closed) {
    discard(inbound, Drop::EndpointGone);
    return;
  }
  endpoint->receive(inbound.segment, now);
}

void Tcp::to_time_wait(Inbound& inbound, Instant now) {
  inbound.facts = time_wait_facts();
  if (!inspect(inbound)) return;
  Demux::Entry* entry = demux_.find(inbound.tuple);  // again: a hook has run
  const auto* found = entry != nullptr ? std::get_if<TimeWaitTable::Block>(entry) : nullptr;
  if (found == nullptr) {
    discard(inbound, Drop::EndpointGone);
    return;
  }
  const TimeWaitTable::Block block = *found;
  const auto verdict = judge_for_time_wait(*block, inbound.segment, now);
  switch (verdict) {
    case TimeWaitVerdict::Ignore:
      return;
    case TimeWaitVerdict::Restart:
      time_wait_.restart(block, now);
      [[fallthrough]];
    case TimeWaitVerdict::Acknowledge:
      return answer(inbound.tuple, block->make_ack(now), Origin::TcpTimeWait, time_wait_facts(), now);
    case TimeWaitVerdict::Reset: {
      const auto reset = reset_for(inbound.segment, config_.timestamps);
      erase_block(block);
      if (may_answer_after_discard(inbound, Drop::TcpAfterClose) && reset)
        answer(inbound.tuple, *reset, Origin::TcpAbort, time_wait_facts(), now);
      return;
    }
    case TimeWaitVerdict::End:
      return erase_block(block);
  }
}

// A segment without payload that no Tcb sends.
void Tcp::answer(const FourTuple& tuple, const Answer& answer, Origin origin, const EndpointFacts& facts,
                 Instant now) {
  const auto route = parts_.ip.route(tuple.remote.address, tuple.local.address);
  if (!route) return parts_.hooks.stats().count(route.drop());
  OutSegment segment;
  segment.seq = answer.seq;
  segment.ack_number = answer.ack_number;
  segment.flags = answer.flags;
  segment.window = answer.window;
  segment.options = answer.options;
  segment.origin = origin;
  Packet packet = build_segment(parts_.pool, tuple, segment, nullptr, 0);
  if (!packet) return parts_.hooks.stats().count(Drop::NoBuffers);
  const ip::SendFacts send_facts{.source = tuple.local.address,
                                 .destination = tuple.remote.address,
                                 .protocol = wire::kProtocolTcp,
                                 .origin = origin,
                                 .local_port = tuple.local.port,
                                 .remote_port = tuple.remote.port,
                                 .tcp_flags = segment.flags,
                                 .transport_header_size = packet.meta().transport_header_size,
                                 .endpoint = facts};
  parts_.ip.send(std::move(packet), send_facts, *route, now);
}

// RFC 5927 4.1: only an error about something that is in flight is believed.
Tcp::EndpointPtr Tcp::sender_of(const ip::PathEvent& event) const {
  if (event.transport_header.size() < 8) return nullptr;
  const FourTuple tuple{{event.local, load_be16(event.transport_header, 0)},
                        {event.remote, load_be16(event.transport_header, 2)}};
  const Demux::Entry* entry = demux_.find(tuple);
  const EndpointPtr* endpoint = entry == nullptr ? nullptr : std::get_if<EndpointPtr>(entry);
  if (endpoint == nullptr) return nullptr;
  const Tcb& tcb = (*endpoint)->tcb_;
  const Seq quoted{load_be32(event.transport_header, 4)};
  return quoted.within(tcb.snd_una, tcb.snd_nxt - tcb.snd_una) ? *endpoint : nullptr;
}

bool Tcp::may_have_sent(const ip::PathEvent& event) const { return sender_of(event) != nullptr; }

void Tcp::path_event(const ip::PathEvent& event, Instant now) {
  if (const EndpointPtr endpoint = sender_of(event)) endpoint->on_path_event(event, now);
}

}  // namespace stack::tcp
