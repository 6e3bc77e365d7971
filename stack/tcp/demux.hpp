// Which connection, small block or listener a segment belongs to. Owns the connections while they are connections.
#pragma once

#include <memory>
#include <unordered_map>
#include <variant>

#include "stack/tcp/four_tuple.hpp"
#include "stack/tcp/time_wait.hpp"

namespace stack::tcp {

class Endpoint;
class Listener;

class Demux {
 public:
  using Entry = std::variant<std::shared_ptr<Endpoint>, TimeWaitTable::Block>;

  explicit Demux(SipKey key) : connections_(64, FourTupleHash{key}) {}

  Entry* find(const FourTuple& tuple) {
    const auto found = connections_.find(tuple);
    return found == connections_.end() ? nullptr : &found->second;
  }
  const Entry* find(const FourTuple& tuple) const { return const_cast<Demux*>(this)->find(tuple); }
  bool contains(const FourTuple& tuple) const { return connections_.contains(tuple); }
  void insert(const FourTuple& tuple, Entry entry) { connections_.insert_or_assign(tuple, std::move(entry)); }
  void erase(const FourTuple& tuple) { connections_.erase(tuple); }

  // The listener bound to exactly this address, else the one bound to every address of the family.
  std::shared_ptr<Listener> find_listener(const SocketAddress& local) const;
  // False: somebody listens there already.
  bool insert_listener(const SocketAddress& local, std::shared_ptr<Listener> listener) {
    return listeners_.try_emplace(key_of(local), std::move(listener)).second;
  }
  void erase_listener(const SocketAddress& local) { listeners_.erase(key_of(local)); }
  std::size_t listener_count() const { return listeners_.size(); }
  bool is_port_listened(const SocketAddress& local) const { return find_listener(local) != nullptr; }
  template <typename Visit>
  void for_each_listener(Visit visit) const {
    for (const auto& [local, listener] : listeners_) visit(listener);
  }

 private:
  static FourTuple key_of(const SocketAddress& local) { return {local, {IpAddress::any(local.address.family()), 0}}; }
  struct PlainHash {  // listeners are few and ours: no secret needed
    std::size_t operator()(const FourTuple& tuple) const { return tuple.hash({}); }
  };
  std::unordered_map<FourTuple, Entry, FourTupleHash> connections_;
  std::unordered_map<FourTuple, std::shared_ptr<Listener>, PlainHash> listeners_;
};

}  // namespace stack::tcp
