// From a SYN to a connection: is there room, may the peer connect (authorization.cpp), and SYN cookies when there is
// none.
#include "stack/tcp/handshake.hpp"
#include "stack/tcp/input_listen.hpp"
#include "stack/tcp/tcp.hpp"
#include "stack/tcp/window.hpp"

namespace stack::tcp {

bool Tcp::has_room_for_child(const Listener& listener) const {
  return listener.half_open_ < config_.syn_backlog && listener.accepted_.size() < config_.accept_backlog &&
         connection_count_ < config_.connection_limit;
}

void Tcp::to_listener(const std::shared_ptr<Listener>& listener, Inbound& inbound, Instant now) {
  if (!listener->is_open()) return no_endpoint(inbound, Drop::NoEndpoint, now);
  switch (judge_for_listener(inbound.segment)) {
    case ListenVerdict::Ignore:
      discard(inbound, Drop::TcpUnacceptable);
      return;
    case ListenVerdict::Reset: {
      const bool may_be_cookie = now <= listener->cookies_until_ && !inbound.segment.syn();
      const auto restored =
          may_be_cookie ? cookies_.check(inbound.tuple, inbound.segment, now) : std::optional<SynCookies::Restored>{};
      if (restored) return admit_cookie(listener, inbound, *restored, now);
      return no_endpoint(inbound, may_be_cookie ? Drop::BadCookie : Drop::NoEndpoint, now);
    }
    case ListenVerdict::Open:
      return admit_syn(listener, inbound, now);
  }
}

// RFC 1122 4.2.3.10: a SYN from a group or a broadcast opens nothing; nor does one that names us at both ends.
bool Tcp::is_from_a_host(const Inbound& inbound) const {
  const FourTuple& tuple = inbound.tuple;
  const InterfaceIndex interface_index = inbound.segment.packet.meta().interface_index;
  return parts_.addresses.kind_of(tuple.remote.address, interface_index) == AddressKind::Unicast &&
         tuple.remote.port != 0 && tuple.local != tuple.remote;
}

// The accept authorization of the same conversation is still awaited, and this is not its packet coming back.
bool Tcp::is_pended(const Inbound& inbound) const {
  return pended_.contains(inbound.tuple) && inbound.segment.packet.meta().origin != Origin::Injected;
}

void Tcp::admit_syn(const std::shared_ptr<Listener>& listener, Inbound& inbound, Instant now) {
  if (!is_from_a_host(inbound)) return discard(inbound, Drop::BadSourceAddress);
  inbound.facts = listener->facts();
  if (is_pended(inbound)) return discard(inbound, Drop::PendRetransmission);
  if (!has_room_for_child(*listener)) {
    // The ACK of a cookie would not get past a block of TIME_WAIT.
    const bool can_help =
        config_.syn_cookies && listener->accepted_.size() < config_.accept_backlog && !demux_.contains(inbound.tuple);
    if (can_help) return send_cookie(*listener, inbound, now);
    return discard(inbound, Drop::ListenQueueFull);
  }
  const EndpointPtr child = admit_child(listener, inbound, now);
  if (child == nullptr) return;
  const Seq iss = take_over_tuple(inbound.tuple, now);
  demux_.insert(inbound.tuple, child);
  accept_syn(child->tcb_, inbound.segment, iss, now);
  child->now_ = now;
  child->enter(State::SynReceived);
  child->registration_.is_half_open = true;
  ++listener->half_open_;
  child->output(now);
  child->settle(now);
}

// For a connection that a SYN begins: ends the block of TIME_WAIT in whose place it comes. Returns our first sequence
// number, which is beyond that block's (RFC 9293 3.6.1).
Seq Tcp::take_over_tuple(const FourTuple& tuple, Instant now) {
  const Demux::Entry* entry = demux_.find(tuple);
  const auto* block = entry != nullptr ? std::get_if<TimeWaitTable::Block>(entry) : nullptr;
  if (block == nullptr) return isn_.make(tuple, now);
  const Seq iss = isn_.make_after(tuple, (*block)->snd_nxt, now);
  erase_block(*block);
  return iss;
}

// Asks the hooks and the authorizer, and makes the endpoint. Null: one of them said no, or the listener is gone or the
// last place taken by now; flow and segment have been dealt with.
Tcp::EndpointPtr Tcp::admit_child(const std::shared_ptr<Listener>& listener, Inbound& inbound, Instant now) {
  inbound.needs_authorization = true;
  if (!inspect(inbound)) return nullptr;
  const auto authorized = authorize_accept(inbound, now);
  if (!authorized) return nullptr;
  const FlowTag flow = *authorized;
  auto child = std::make_shared<Endpoint>(*this, config_, inbound.tuple, listener->owner());
  if (!listener->is_open() || !register_endpoint(*child)) {
    if (flow != 0) parts_.hooks.authorizer()->flow_ended(flow);
    if (!listener->is_open())
      no_endpoint(inbound, Drop::NoEndpoint, now);
    else
      discard(inbound, Drop::ConnectionLimit);
    return nullptr;
  }
  child->record_.facts.parent = listener->id();
  child->record_.facts.flow = flow;
  child->listener_ = listener;
  child->tcb_.ts_offset = isn_.timestamp_offset(inbound.tuple);
  return child;
}

void Tcp::on_child_established(Endpoint& child) {
  Listener& listener = *child.listener_;
  if (!listener.is_open()) return child.abort(Error::ConnectionAborted);
  listener.accepted_.push_back(child.shared_from_this());
  queue_accept(listener);
}

// RFC 4987 3.6. The listener itself is what stands behind this SYN-ACK; nothing is remembered.
void Tcp::send_cookie(Listener& listener, Inbound& inbound, Instant now) {
  if (!inspect(inbound)) return;
  const auto route = parts_.ip.route(inbound.tuple.remote.address, inbound.tuple.local.address);
  if (!route) return discard(inbound, route.drop());
  listener.cookies_until_ = now + SynCookies::kLifetime + SynCookies::kPeriod;
  parts_.hooks.stats().count(Drop::ListenQueueFull);

  // The Tcb lives for this answer only; it knows how options are agreed on.
  Tcb tcb{config_, inbound.tuple.local.address.family(), parts_.memory};
  tcb.path_mss = path_mss_of(route->mtu, tcb.family);
  tcb.ts_offset = isn_.timestamp_offset(inbound.tuple);
  accept_syn(tcb, inbound.segment, cookies_.make(inbound.tuple, inbound.segment, now), now);
  tcb.state = State::SynReceived;
  Answer cookie{.seq = tcb.iss, .ack_number = tcb.rcv_nxt, .flags = flag::kSyn | flag::kAck};
  cookie.window = window_field(tcb, true);
  cookie.options = syn_options(tcb, now);
  if (cookie.options.timestamps) {
    auto agreed = inbound.segment.options;
    if (!tcb.window_scale_ok) agreed.window_scale.reset();
    agreed.sack_permitted = tcb.sack_ok;
    cookie.options.timestamps->value = SynCookies::encode_timestamp(cookie.options.timestamps->value, agreed);
  } else {  // nowhere to remember them
    cookie.options.window_scale.reset();
    cookie.options.sack_permitted = false;
  }
  answer(inbound.tuple, cookie, Origin::TcpCookie, listener.facts(), now);
}

// The ACK of a cookie: here the authorization that the SYN did not get takes place.
void Tcp::admit_cookie(const std::shared_ptr<Listener>& listener, Inbound& inbound,
                       const SynCookies::Restored& restored, Instant now) {
  inbound.facts = listener->facts();
  if (is_pended(inbound)) return discard(inbound, Drop::PendRetransmission);
  if (connection_count_ >= config_.connection_limit || listener->accepted_.size() >= config_.accept_backlog)
    return discard(inbound, Drop::ListenQueueFull);
  const EndpointPtr child = admit_child(listener, inbound, now);
  if (child == nullptr) return;
  demux_.insert(inbound.tuple, child);
  restore_from_cookie(child->tcb_, inbound.segment, restored, now);
  child->now_ = now;
  child->refresh_route();
  child->tcb_.begin_transfer();
  child->enter(State::Established);
  if (child->established(inbound.segment))
    child->receive(inbound.segment, now);
  else
    child->settle(now);
}

}  // namespace stack::tcp
