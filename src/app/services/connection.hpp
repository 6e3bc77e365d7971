// Connections of one service: a bounded set that owns them, ends the idle and the overdue ones, and destroys those that
// are done outside of their own callbacks. When it is full, a new connection takes the place of the idlest one of the
// host that has the most. Not for it: what a service says on a connection.
#pragma once

#include <list>
#include <memory>

#include "src/app/services/host_shares.hpp"
#include "src/app/services/network.hpp"

namespace app::services {

class ConnectionSet;

class Connection : public ByteStream::Observer {
 public:
  Connection(ConnectionSet& set, std::unique_ptr<ByteStream> stream);
  ~Connection() override = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  virtual void start() {}  // once it is in the set
  void on_failed(stack::Error error) override;

 protected:
  ByteStream& stream() { return *stream_; }
  ConnectionSet& set() { return set_; }
  void progressed();  // it is not idle
  // When on_overdue() is called, give or take a sweep, whatever progress there is; kNever: not at all.
  void set_deadline(stack::Instant when) { deadline_ = when; }
  virtual void on_overdue() { abort(); }
  void abort();  // resets the connection and ends it
  // No more from us: closes what was written and lets the connection be destroyed. Nothing may follow.
  void end();
  // The same after the peer's bytes that are still to come have been thrown away, so that they do not reset what we
  // sent (RFC 9112 9.6). Bounded by bytes and time.
  void end_after_input();
  // True when end_after_input() has begun: on_readable() has nothing else to do then.
  bool discard_input();
  bool ended() const { return ended_; }

 private:
  friend class ConnectionSet;
  static constexpr std::size_t kMaxDiscarded = 1 << 20;

  ConnectionSet& set_;
  std::unique_ptr<ByteStream> stream_;
  stack::Instant last_progress_;
  stack::Instant deadline_ = stack::kNever;
  std::list<std::unique_ptr<Connection>>::iterator place_;
  HostShares::Place share_;
  std::size_t discarded_ = 0;
  bool discarding_ = false;
  bool ended_ = false;
};

class ConnectionSet {
 public:
  static constexpr std::size_t kDefaultLimit = 16'384;
  static constexpr stack::Duration kIdleLimit = std::chrono::seconds{60};
  static constexpr stack::Duration kLingerLimit = std::chrono::seconds{2};
  static constexpr stack::Duration kSweepInterval = std::chrono::seconds{1};

  // Connections that make no progress for `idle_limit` are reset.
  explicit ConnectionSet(Network& network, std::size_t limit = kDefaultLimit, stack::Duration idle_limit = kIdleLimit)
      : network_(network), limit_(limit), idle_limit_(idle_limit) {}
  ~ConnectionSet();

  // Makes a C over the stream and starts it; another one may be reset for it, and is counted.
  template <typename C, typename... Rest>
  void add(std::unique_ptr<ByteStream> stream, Rest&&... rest) {
    make_room();
    insert(std::make_unique<C>(*this, std::move(stream), std::forward<Rest>(rest)...));
  }

  std::size_t size() const { return live_.size(); }
  std::uint64_t accepted_count() const { return accepted_; }
  std::uint64_t displaced_count() const { return displaced_; }  // reset to make room
  Network& network() { return network_; }

 private:
  friend class Connection;
  void make_room();
  void insert(std::unique_ptr<Connection> connection);
  void retire(Connection& connection);
  void sweep();

  Network& network_;
  std::size_t limit_;
  stack::Duration idle_limit_;
  std::list<std::unique_ptr<Connection>> live_;
  std::list<std::unique_ptr<Connection>> ended_;
  HostShares shares_;                                           // of live_
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // a deferred task looks before it touches the set
  Network::TimerId sweep_timer_ = 0;
  std::uint64_t accepted_ = 0;
  std::uint64_t displaced_ = 0;
};

}  // namespace app::services
