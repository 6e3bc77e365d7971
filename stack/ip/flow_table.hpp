// Conversations of transports that have no connection of their own: a UDP endpoint with one remote, an echo dialogue
// with one (remote, id). The first packet of one needs an authorization; the table remembers the answer until the
// conversation has been idle for a while. Bounded: the idlest goes when it is full. Used on the stack's thread.
//
// For echo dialogues it also remembers first packets whose authorization was put off (Decision::Later). More of that
// dialogue is dropped until resume() or kPendTimeout; a packet that comes back through the Injector is let through and
// asked about again. UDP asks about each datagram instead.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>

#include "stack/base/hash.hpp"
#include "stack/base/time.hpp"
#include "stack/hooks/hooks.hpp"

namespace stack::ip {

struct FlowKey {
  EndpointId endpoint;
  SocketAddress local;   // ICMP: the port is the echo id
  SocketAddress remote;  // likewise
  bool operator==(const FlowKey&) const = default;
};

class FlowTable {
 public:
  static constexpr Duration kPendTimeout = 60s;
  static constexpr std::size_t kMaxPended = 1024;

  FlowTable(Hooks& hooks, SipKey key, std::size_t limit, Duration idle)
      : hooks_(hooks), limit_(limit), idle_(idle), flows_(16, KeyHash{key}), pended_(16, KeyHash{key}) {}
  ~FlowTable() { clear(); }
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  // The conversation's tag, when it is authorized; counts as use.
  std::optional<FlowTag> find(const FlowKey& key, Instant now);
  void insert(const FlowKey& key, FlowTag tag, Instant now);
  void erase(const FlowKey& key);       // ends the flow
  void erase_all(EndpointId endpoint);  // of an endpoint that closes; forgets what it had pended, too
  bool erase_flow(FlowTag tag);         // false: not one of ours

  bool is_pended(const FlowKey& key) const { return pended_.contains(key); }
  bool pend(const FlowKey& key, Ticket ticket, Instant now);  // false: full, Drop::PendLimit
  void unpend(const FlowKey& key) { pended_.erase(key); }
  bool resume(Ticket ticket);  // false: not one of ours

  void expire(Instant now);
  Instant next_deadline() const;
  std::size_t size() const { return flows_.size(); }
  std::size_t pended() const { return pended_.size(); }
  void clear();

 private:
  struct KeyHash {
    SipKey key;
    std::size_t operator()(const FlowKey& value) const;
  };
  struct Flow {
    FlowTag tag = 0;
    Instant last_used;
    std::list<FlowKey>::iterator age;
  };
  struct Pended {
    Ticket ticket = 0;
    Instant expires;
  };
  using Flows = std::unordered_map<FlowKey, Flow, KeyHash>;
  void end(Flows::iterator flow);

  Hooks& hooks_;
  std::size_t limit_;
  Duration idle_;
  Flows flows_;
  std::list<FlowKey> ages_;  // idlest first
  std::unordered_map<FlowKey, Pended, KeyHash> pended_;
};

}  // namespace stack::ip
