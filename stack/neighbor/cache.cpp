#include "stack/neighbor/cache.hpp"

#include <utility>

namespace stack::neighbor {

Cache::Entry* Cache::find(const IpAddress& address) {
  const auto found = entries_.find(address);
  return found == entries_.end() ? nullptr : &found->second;
}

Cache::Entry& Cache::make(const IpAddress& address, std::vector<KeptPacket>& evicted) {
  CHECK(find(address) == nullptr);
  if (entries_.size() >= kMaxEntries) {
    const IpAddress oldest = ages_.front();
    evicted = std::move(find(oldest)->waiting);
    erase(oldest);
  }
  TimerHandler& handler = *this;
  Entry& entry = entries_.try_emplace(address, handler, address).first->second;
  entry.age = ages_.insert(ages_.end(), address);
  return entry;
}

KeptPacket Cache::wait(Entry& entry, KeptPacket packet) {
  KeptPacket oldest;
  if (entry.waiting.size() >= kMaxWaiting) {
    oldest = std::move(entry.waiting.front());
    entry.waiting.erase(entry.waiting.begin());
  }
  entry.waiting.push_back(std::move(packet));
  return oldest;
}

void Cache::erase(const IpAddress& address) {
  const auto found = entries_.find(address);
  CHECK(found != entries_.end());
  ages_.erase(found->second.age);
  entries_.erase(found);
}

void Cache::for_each_due(Instant now, const std::function<void(Entry&)>& visit) {
  wheel_.advance(now);
  for (Entry* entry : std::exchange(due_, {})) {
    visit(*entry);
    reschedule(*entry);
  }
}

std::vector<KeptPacket> Cache::clear() {
  std::vector<KeptPacket> all;
  for (auto& [_, entry] : entries_)
    for (KeptPacket& packet : entry.waiting) all.push_back(std::move(packet));
  entries_.clear();
  ages_.clear();
  return all;
}

}  // namespace stack::neighbor
