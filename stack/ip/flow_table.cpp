#include "stack/ip/flow_table.hpp"

#include <algorithm>
#include <array>

namespace stack::ip {

std::size_t FlowTable::KeyHash::operator()(const FlowKey& value) const {
  std::array<std::byte, 44> bytes{};
  std::ranges::copy(value.local.address.bytes(), bytes.begin());
  std::ranges::copy(value.remote.address.bytes(), bytes.begin() + 16);
  store_be16(bytes, 32, value.local.port);
  store_be16(bytes, 34, value.remote.port);
  store_be32(bytes, 36, value.endpoint.slot());
  store_be32(bytes, 40, value.endpoint.generation());
  return static_cast<std::size_t>(siphash(key, bytes));
}

std::optional<FlowTag> FlowTable::find(const FlowKey& key, Instant now) {
  const auto found = flows_.find(key);
  if (found == flows_.end()) return std::nullopt;
  found->second.last_used = now;
  ages_.splice(ages_.end(), ages_, found->second.age);
  return found->second.tag;
}

void FlowTable::insert(const FlowKey& key, FlowTag tag, Instant now) {
  erase(key);
  if (flows_.size() >= limit_) {
    hooks_.stats().count(Drop::FlowLimit);
    end(flows_.find(ages_.front()));
  }
  flows_[key] = Flow{tag, now, ages_.insert(ages_.end(), key)};
}

// The table is whole again before somebody outside hears of it.
void FlowTable::end(Flows::iterator flow) {
  const FlowTag tag = flow->second.tag;
  ages_.erase(flow->second.age);
  flows_.erase(flow);
  if (tag != 0 && hooks_.authorizer() != nullptr) hooks_.authorizer()->flow_ended(tag);
}

void FlowTable::erase(const FlowKey& key) {
  if (const auto found = flows_.find(key); found != flows_.end()) end(found);
}

void FlowTable::erase_all(EndpointId endpoint) {
  std::erase_if(pended_, [&](const auto& entry) { return entry.first.endpoint == endpoint; });
  for (auto at = ages_.begin(); at != ages_.end();) {
    const auto next = std::next(at);
    if (at->endpoint == endpoint) end(flows_.find(*at));
    at = next;
  }
}

bool FlowTable::erase_flow(FlowTag tag) {
  const auto found = std::ranges::find_if(flows_, [tag](const auto& entry) { return entry.second.tag == tag; });
  if (tag == 0 || found == flows_.end()) return false;
  end(found);
  return true;
}

bool FlowTable::pend(const FlowKey& key, Ticket ticket, Instant now) {
  if (pended_.size() >= kMaxPended && !pended_.contains(key)) return false;
  pended_[key] = Pended{ticket, now + kPendTimeout};
  return true;
}

bool FlowTable::resume(Ticket ticket) {
  return std::erase_if(pended_, [ticket](const auto& entry) { return entry.second.ticket == ticket; }) > 0;
}

void FlowTable::expire(Instant now) {
  while (!ages_.empty()) {
    const auto flow = flows_.find(ages_.front());
    if (flow->second.last_used + idle_ > now) break;
    end(flow);
  }
  std::erase_if(pended_, [now](const auto& entry) { return entry.second.expires <= now; });
}

Instant FlowTable::next_deadline() const {
  Instant next = kNever;
  if (!ages_.empty()) next = flows_.find(ages_.front())->second.last_used + idle_;
  for (const auto& [_, pended] : pended_) next = std::min(next, pended.expires);
  return next;
}

void FlowTable::clear() {
  while (!ages_.empty()) end(flows_.find(ages_.front()));
  pended_.clear();
}

}  // namespace stack::ip
