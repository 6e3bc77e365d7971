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

void Tcp::admit_syn(const std::shared_ptr<Listener>& listener, Inbound& inbound, Instant now) {
  const FourTuple& tuple = inbound.tuple;
  const PacketMeta& meta = inbound.segment.packet.meta();
  const bool is_injected = meta.origin == Origin::Injected;
  const bool bad_source =
      parts_.addresses.kind_of(tuple.remote.address, meta.interface_index) != AddressKind::Unicast ||
      tuple.remote.port == 0 || tuple.local == tuple.remote;
  if (bad_source) return static_cast<void>(discard(inbound, Drop::BadSourceAddress));
  inbound.facts = listener->facts();
  if (pended_.contains(tuple) && !is_injected) return static_cast<void>(discard(inbound, Drop::PendRetransmission));
  if (!has_room_for_child(*listener)) {
    // The ACK of a cookie would not get past a block of TIME_WAIT.
    const bool can_help =
        config_.syn_cookies && listener->accepted_.size() < config_.accept_backlog && !demux_.contains(tuple);
    if (can_help) return send_cookie(*listener, inbound, now);
    return static_cast<void>(discard(inbound, Drop::ListenQueueFull));
  }
  inbound.needs_authorization = true;
  if (!inspect(inbound)) return;
  const auto flow = authorize_accept(inbound, now);
  if (!flow) return;
  const EndpointPtr child = admit_child(listener, inbound, *flow, now);
  if (child == nullptr) return;
  Seq iss = isn_.make(tuple, now);
  if (Demux::Entry* entry = demux_.find(tuple))
    if (const auto* block = std::get_if<TimeWaitTable::Block>(entry)) {
      iss = isn_.make_after(tuple, (*block)->snd_nxt, now);
      erase_block(*block);
    }
  demux_.insert(tuple, child);
  accept_syn(child->tcb_, inbound.segment, iss, now);
  child->now_ = now;
  child->enter(State::SynReceived);
  child->registration_.is_half_open = true;
  ++listener->half_open_;
  child->output(now);
  child->settle(now);
}

// Null: the hooks have run, and the listener is gone or the last place is taken; flow and segment have been dealt with.
Tcp::EndpointPtr Tcp::admit_child(const std::shared_ptr<Listener>& listener, Inbound& inbound, FlowTag flow,
                                  Instant now) {
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
  if (!route) return static_cast<void>(discard(inbound, route.drop()));
  listener.cookies_until_ = now + SynCookies::kLifetime + SynCookies::kPeriod;
  parts_.hooks.stats().count(Drop::ListenQueueFull);

  // The Tcb lives for this answer only; it knows how options are agreed on.
  Tcb tcb{config_, inbound.tuple.local.address.family()};
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
  const FourTuple tuple = inbound.tuple;
  inbound.facts = listener->facts();
  if (pended_.contains(tuple) && inbound.segment.packet.meta().origin != Origin::Injected)
    return static_cast<void>(discard(inbound, Drop::PendRetransmission));
  if (connection_count_ >= config_.connection_limit || listener->accepted_.size() >= config_.accept_backlog)
    return static_cast<void>(discard(inbound, Drop::ListenQueueFull));
  inbound.needs_authorization = true;
  if (!inspect(inbound)) return;
  const auto flow = authorize_accept(inbound, now);
  if (!flow) return;
  const EndpointPtr child = admit_child(listener, inbound, *flow, now);
  if (child == nullptr) return;
  demux_.insert(tuple, child);
  Tcb& tcb = child->tcb_;
  tcb.begin_send(inbound.segment.ack_number - 1);
  tcb.snd_una = tcb.snd_nxt = inbound.segment.ack_number;
  tcb.begin_receive(inbound.segment.seq - 1);
  wire::TcpOptions options;
  options.mss = restored.mss;
  options.timestamps = inbound.segment.options.timestamps;
  options.window_scale = restored.window_scale;
  options.sack_permitted = restored.sack_permitted;
  negotiate(tcb, options, now);
  on_window_announced(tcb, window_field(tcb, true), true);
  tcb.snd_wnd = tcb.max_snd_wnd = inbound.segment.window_bytes(tcb.snd_scale);
  tcb.snd_wl1 = inbound.segment.seq;
  tcb.snd_wl2 = inbound.segment.ack_number;
  child->now_ = now;
  child->refresh_route();
  tcb.begin_transfer();
  child->enter(State::Established);
  if (child->established(inbound.segment))
    child->receive(inbound.segment, now);
  else
    child->settle(now);
}

}  // namespace stack::tcp
