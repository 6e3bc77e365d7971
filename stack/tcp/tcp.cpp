// The module's life: registration, release, timers, and the queues that poll() drains.
#include "stack/tcp/tcp.hpp"

namespace stack::tcp {
namespace {

// Rounds of one poll: what observers ask for is done at once, but they cannot keep the stack from its packets.
constexpr int kMaxRounds = 4;

SipKey make_key(RandomSource& random) { return {random.next(), random.next()}; }

}  // namespace

Tcp::Tcp(const TcpConfig& config, const TcpParts& parts)
    : config_(config),
      parts_(parts),
      isn_(parts.random),
      cookies_(parts.random),
      blocks_(config.send_memory),
      demux_(make_key(parts.random)),
      time_wait_(config.time_wait_limit, config.time_wait, config.fin_wait_2),
      pended_(config.pended_syn_limit, make_key(parts.random)) {}

Tcp::~Tcp() {
  std::vector<EndpointPtr> endpoints;
  for (const auto& [id, endpoint] : by_id_) endpoints.push_back(endpoint->shared_from_this());
  for (const auto& endpoint : endpoints) {
    if (endpoint->tcb_.state != State::Closed) endpoint->enter(State::Closed);
    endpoint->error_ = Error::Closed;
    release(*endpoint, Instant{}, false);
  }
  std::vector<std::shared_ptr<Listener>> listeners;
  demux_.for_each_listener([&](const auto& listener) { listeners.push_back(listener); });
  for (const auto& listener : listeners) close_listener(*listener);
  take_back_lent();
  *self_ = nullptr;
}

std::shared_ptr<const Owner> Tcp::owner_or_nobody(std::shared_ptr<const Owner> owner) {
  static const std::shared_ptr<const Owner> kNobody = std::make_shared<Owner>();
  return owner != nullptr ? std::move(owner) : kNobody;
}

bool Tcp::register_endpoint(Endpoint& endpoint) {
  if (connection_count_ >= config_.connection_limit) return false;
  const auto id = parts_.endpoints.insert(&endpoint.record_);
  if (!id) return false;
  endpoint.record_.facts.match = EndpointMatch::Live;
  endpoint.record_.facts.endpoint = *id;
  endpoint.registration_.is_live = true;
  by_id_[id->value] = &endpoint;
  ++connection_count_;
  return true;
}

// The handle dies, the flow ends. The caller holds a reference to the endpoint.
void Tcp::release(Endpoint& endpoint, Instant now, bool leaves_block) {
  CHECK(std::exchange(endpoint.registration_.is_live, false));
  const EndpointPtr keep = endpoint.shared_from_this();
  const Demux::Entry* entry = demux_.find(endpoint.tuple_);
  const EndpointPtr* owner = entry != nullptr ? std::get_if<EndpointPtr>(entry) : nullptr;
  if (owner != nullptr && owner->get() == &endpoint) demux_.erase(endpoint.tuple_);
  if (leaves_block) insert_block(TimeWaitBlock::from(endpoint.tcb_, endpoint.tuple_), now);
  std::erase_if(parked_, [&](const auto& parked) { return parked.second.endpoint.get() == &endpoint; });

  const EndpointId id = endpoint.id();
  deadlines_.remove(id.value, endpoint.registration_.deadline);
  by_id_.erase(id.value);
  parts_.endpoints.erase(id);
  --connection_count_;
  if (endpoint.registration_.is_half_open) --endpoint.listener_->half_open_;
  endpoint.registration_.is_half_open = false;
  endpoint.listener_ = nullptr;
  endpoint.tcb_.timers.stop_all();
  endpoint.tcb_.send.clear();
  endpoint.tcb_.scoreboard.clear();
  endpoint.tcb_.out_of_order.clear();
  if (leaves_block) endpoint.enter(State::Closed);
  const FlowTag flow = std::exchange(endpoint.record_.facts.flow, 0);
  endpoint.record_.facts.match = EndpointMatch::None;
  if (Authorizer* authorizer = parts_.hooks.authorizer(); authorizer != nullptr) {
    if (flow != 0) authorizer->flow_ended(flow);
    authorizer->endpoint_closed(id);
  }
}

void Tcp::insert_block(const TimeWaitBlock& block, Instant now) {
  if (config_.time_wait_limit == 0) return;
  if (time_wait_.is_full()) {
    parts_.hooks.stats().count(Drop::ConnectionLimit);
    erase_block(time_wait_.oldest());
  }
  demux_.insert(block.tuple, time_wait_.insert(block, now));
}

void Tcp::erase_block(TimeWaitTable::Block block) {
  demux_.erase(block->tuple);
  time_wait_.erase(block);
}

// --- queues ---

void Tcp::wake(Endpoint& endpoint) {
  if (!std::exchange(endpoint.registration_.is_runnable, true)) runnable_.push_back(endpoint.shared_from_this());
}

void Tcp::queue_events(Endpoint& endpoint) {
  if (!std::exchange(endpoint.registration_.is_notified, true)) events_.push_back(endpoint.shared_from_this());
}

void Tcp::queue_accept(Listener& listener) {
  if (!std::exchange(listener.is_notified_, true)) accepts_.push_back(listener.shared_from_this());
}

void Tcp::note_lent(Endpoint& endpoint) {
  if (!std::exchange(endpoint.registration_.has_lent, true)) lent_.push_back(endpoint.shared_from_this());
}

// What no application has read in its round gives back the packets, receive buffers and drivers' clones that it lies in.
void Tcp::take_back_lent() {
  const Batch due{*this, lent_};
  for (const EndpointPtr& endpoint : due.endpoints) {
    endpoint->registration_.has_lent = false;
    endpoint->tcb_.received.copy_out();
  }
}

void Tcp::schedule(Endpoint& endpoint) {
  deadlines_.schedule(endpoint.id().value, endpoint.tcb_.timers.next(), endpoint.registration_.deadline);
}

Tcp::Batch::Batch(Tcp& tcp, std::vector<EndpointPtr>& queue)
    : endpoints(std::exchange(queue, std::exchange(tcp.spare_, {}))), tcp_(tcp) {}

Tcp::Batch::~Batch() {
  endpoints.clear();
  if (endpoints.capacity() > tcp_.spare_.capacity()) tcp_.spare_.swap(endpoints);
}

bool Tcp::run_endpoints(Instant now) {
  const Batch due{*this, runnable_};
  for (const EndpointPtr& endpoint : due.endpoints) {
    endpoint->registration_.is_runnable = false;
    if (endpoint->registration_.is_live) endpoint->run(now);
  }
  return !due.endpoints.empty();
}

bool Tcp::run_notifications() {
  const auto accepts = std::exchange(accepts_, {});
  for (const auto& listener : accepts) {
    listener->is_notified_ = false;
    listener->deliver();
  }
  const Batch due{*this, events_};
  for (const EndpointPtr& endpoint : due.endpoints) {
    endpoint->registration_.is_notified = false;
    endpoint->deliver_events();
  }
  return !due.endpoints.empty() || !accepts.empty();
}

void Tcp::run_timers(Instant now) {
  for (std::size_t left = deadlines_.size(); left > 0; --left) {
    const auto due = deadlines_.take_due(now);
    if (!due) break;
    const auto found = by_id_.find(*due);
    CHECK(found != by_id_.end());  // release() takes the entry out
    const EndpointPtr endpoint = found->second->shared_from_this();
    endpoint->registration_.deadline = kNever;
    endpoint->on_deadline(now);
  }
  while (const auto block = time_wait_.expired(now)) erase_block(*block);
}

void Tcp::poll(Instant now) {
  pended_.expire(now);
  run_timers(now);
  for (int round = 0; round < kMaxRounds; ++round) {
    const bool ran = run_endpoints(now);
    const bool told = run_notifications();
    if (!ran && !told) break;
  }
  take_back_lent();
}

Instant Tcp::next_deadline() const {
  if (!runnable_.empty() || !events_.empty() || !accepts_.empty() || !lent_.empty())
    return Instant::from_ns(INT64_MIN);
  return std::min(deadlines_.next(), time_wait_.next_deadline());
}

bool Tcp::abort_flow(FlowTag flow) {
  if (flow == 0) return false;
  for (const auto& [id, endpoint] : by_id_) {
    if (endpoint->record_.facts.flow != flow) continue;
    endpoint->wanted_.flow_abort = true;
    wake(*endpoint);
    return true;
  }
  return false;
}

}  // namespace stack::tcp
