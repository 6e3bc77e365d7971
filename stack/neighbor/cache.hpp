// The neighbours of one interface: a bounded table of addresses with their states and the packets that wait for them.
// The least recently used entry goes when it is full. Holds no protocol: Resolver moves the entries.
#pragma once

#include <functional>
#include <list>
#include <unordered_map>
#include <vector>

#include "stack/base/hash.hpp"
#include "stack/base/timer_wheel.hpp"
#include "stack/neighbor/entry_state.hpp"
#include "stack/packet/kept_packet.hpp"

namespace stack::neighbor {

class Cache final : private TimerHandler {
 public:
  static constexpr std::size_t kMaxEntries = 1024;
  static constexpr std::size_t kMaxWaiting = 16;  // packets of one entry; RFC 4861 7.2.2 asks for one at least

  struct Entry : Timer {
    Entry(TimerHandler& handler, const IpAddress& name) : Timer(handler), address(name) {}
    IpAddress address;
    EntryState state;
    bool is_router = false;
    std::vector<KeptPacket> waiting;  // oldest first
    std::list<IpAddress>::iterator age;
  };

  explicit Cache(SipKey key) : entries_(16, Hash{key}) {}

  Entry* find(const IpAddress& address);
  // A new entry, which must not be there yet. Packets of an entry that had to go are returned in `evicted`.
  Entry& make(const IpAddress& address, std::vector<KeptPacket>& evicted);
  // To be called when an entry's state may have another deadline.
  void reschedule(Entry& entry) { wheel_.schedule(entry, entry.state.deadline()); }
  void touch(Entry& entry) { ages_.splice(ages_.end(), ages_, entry.age); }
  // Keeps the packet; gives back the oldest one when there are too many.
  KeptPacket wait(Entry& entry, KeptPacket packet);
  void erase(const IpAddress& address);

  Instant next_deadline() const { return wheel_.next_deadline(); }  // or a little earlier
  // Calls visit(Entry&) for entries whose deadline has come, and reschedules them. visit may not insert or erase.
  void for_each_due(Instant now, const std::function<void(Entry&)>& visit);
  std::size_t size() const { return entries_.size(); }
  std::vector<KeptPacket> clear();  // everything that waited

 private:
  struct Hash {
    SipKey key;
    std::size_t operator()(const IpAddress& address) const {
      return static_cast<std::size_t>(siphash(key, address.bytes()));
    }
  };
  void on_timer(Timer& timer, Instant) override { due_.push_back(static_cast<Entry*>(&timer)); }

  TimerWheel wheel_;
  std::unordered_map<IpAddress, Entry, Hash> entries_;
  std::vector<Entry*> due_;    // only within for_each_due
  std::list<IpAddress> ages_;  // least recently used first
};

}  // namespace stack::neighbor
