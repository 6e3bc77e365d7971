// TCP (RFC 9293) of one stack: finds the connection of a segment, runs the hooks around it, opens and closes
// connections, and drives all timers. IPv4 and IPv6 share everything.
//
// Reads no clock and calls nobody inline: what applications ask for is queued and done in poll(now). Everything is
// bounded by TcpConfig; what does not fit is dropped under a reason. Used on the stack's thread.
//
// Files: tcp.cpp (life, timers, queues), receive.cpp (segment to connection), admission.cpp (SYN to connection),
// listener.cpp (listen), active_open.cpp (connect), authorization.cpp (who may, and what waits for an answer),
// endpoint*.cpp (one connection).
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "stack/hooks/hooks.hpp"
#include "stack/ip/address_table.hpp"
#include "stack/ip/endpoint_table.hpp"
#include "stack/ip/ip_sender.hpp"
#include "stack/ip/transport_sink.hpp"
#include "stack/packet/packet_pool.hpp"
#include "stack/tcp/deadline_queue.hpp"
#include "stack/tcp/demux.hpp"
#include "stack/tcp/endpoint.hpp"
#include "stack/tcp/isn.hpp"
#include "stack/tcp/listener.hpp"
#include "stack/tcp/pended_syns.hpp"
#include "stack/tcp/syn_cookie.hpp"

namespace stack::tcp {

// What TCP works with; all of it outlives it.
struct TcpParts {
  ip::IpSender& ip;
  Hooks& hooks;
  PacketPool& pool;
  RandomSource& random;
  ip::EndpointTable& endpoints;
  const ip::AddressTable& addresses;
  std::shared_ptr<Teller> memory;  // of what is received
};

class Tcp final : public ip::TransportSink {
 public:
  Tcp(const TcpConfig& config, const TcpParts& parts);
  ~Tcp() override;  // connections end without a word; their flows and handles are given back
  Tcp(const Tcp&) = delete;
  Tcp& operator=(const Tcp&) = delete;

  struct Listened {
    std::shared_ptr<Listener> listener;  // null on failure
    Error error = Error::None;           // InProgress: the authorizer takes its time; it opens by itself
  };
  // `local` with an unspecified address: every one of its family. Port 0: a random free one.
  Listened listen(const SocketAddress& local, std::shared_ptr<const Owner> owner);

  struct Connected {
    std::shared_ptr<Endpoint> endpoint;  // null on failure
    Error error = Error::None;
  };
  // Begins an active open; its outcome is told to the observer. `local` may fix the address, the port or both.
  Connected connect(const SocketAddress& remote, std::shared_ptr<const Owner> owner,
                    const std::optional<SocketAddress>& local = std::nullopt);

  void receive(Packet packet, Instant now) override;
  bool may_have_sent(const ip::PathEvent& event) const override;
  void path_event(const ip::PathEvent& event, Instant now) override;

  // Runs timers, what applications asked for, and their observers; bounded.
  void poll(Instant now);
  Instant next_deadline() const;  // in the past when poll() has work already

  // An answer that was Later is ready. False: not one of TCP's tickets.
  bool resume(Ticket ticket);
  // Ends the connection of this flow with a RST. False: not one of TCP's.
  bool abort_flow(FlowTag flow);

  std::size_t connection_count() const { return connection_count_; }
  std::size_t time_wait_count() const { return time_wait_.size(); }
  std::size_t pended_count() const { return pended_.size(); }
  const TcpConfig& config() const { return config_; }
  std::size_t send_memory_held() const { return blocks_.held(); }

 private:
  friend class Endpoint;
  friend class Listener;
  using EndpointPtr = std::shared_ptr<Endpoint>;
  struct Inbound {  // a segment on its way to its connection
    FourTuple tuple;
    Segment segment;
    EndpointFacts facts{};
    bool needs_authorization = false;
  };
  struct Parked {  // an operation that waits for its authorizer; one of the two
    EndpointPtr endpoint;
    std::shared_ptr<Listener> listener;
  };

  // What a queue held, in hand; its memory goes round between the queues, so that a poll allocates nothing. One may
  // begin inside another: a driver's call that waits on the stack's thread runs the stack meanwhile.
  class Batch {
   public:
    Batch(Tcp& tcp, std::vector<EndpointPtr>& queue);
    ~Batch();
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;
    std::vector<EndpointPtr> endpoints;

   private:
    Tcp& tcp_;
  };

  // --- receive.cpp ---
  void dispatch(Inbound& inbound, Instant now);
  PacketContext context_of(const Inbound& inbound) const;
  PacketContext context_of(const FourTuple& tuple, const Segment& segment, const EndpointFacts& facts) const;
  bool inspect(Inbound& inbound);  // false: the hook kept it
  void discard(Inbound& inbound, Drop reason);
  bool may_answer_after_discard(Inbound& inbound, Drop reason);  // false: who looks at discards wants no answer
  void no_endpoint(Inbound& inbound, Drop reason, Instant now);
  void to_endpoint(const EndpointPtr& endpoint, Inbound& inbound, Instant now);
  void to_time_wait(Inbound& inbound, Instant now);
  void answer(const FourTuple& tuple, const Answer& answer, Origin origin, const EndpointFacts& facts, Instant now);
  EndpointPtr sender_of(const ip::PathEvent& event) const;  // null: nobody has that segment in flight

  // --- admission.cpp ---
  void to_listener(const std::shared_ptr<Listener>& listener, Inbound& inbound, Instant now);
  void admit_syn(const std::shared_ptr<Listener>& listener, Inbound& inbound, Instant now);
  void admit_cookie(const std::shared_ptr<Listener>& listener, Inbound& inbound, const SynCookies::Restored& restored,
                    Instant now);
  void send_cookie(Listener& listener, Inbound& inbound, Instant now);
  EndpointPtr admit_child(const std::shared_ptr<Listener>& listener, Inbound& inbound, Instant now);
  Seq take_over_tuple(const FourTuple& tuple, Instant now);
  bool is_from_a_host(const Inbound& inbound) const;
  bool is_pended(const Inbound& inbound) const;
  bool has_room_for_child(const Listener& listener) const;
  void on_child_established(Endpoint& child);

  // --- listener.cpp ---
  void close_listener(Listener& listener);

  // --- active_open.cpp ---
  Error choose_local(Endpoint& endpoint);
  void advance_open(Endpoint& endpoint);

  // --- authorization.cpp ---
  Operation operation_of(const EndpointFacts& facts, const SocketAddress& local, const SocketAddress& remote) const;
  Error refuse_or_park(const Operation& operation, const Authorization& answer, const Parked& asker);
  Error authorize_listen(Listener& listener, Ticket resumed);  // InProgress: parked
  Error authorize_open(Endpoint& endpoint);                    // likewise
  std::optional<FlowTag> authorize_accept(Inbound& inbound, Instant now);

  // --- tcp.cpp ---
  static std::shared_ptr<const Owner> owner_or_nobody(std::shared_ptr<const Owner> owner);
  bool register_endpoint(Endpoint& endpoint);
  void release(Endpoint& endpoint, Instant now, bool leaves_block);
  void insert_block(const TimeWaitBlock& block, Instant now);
  void erase_block(TimeWaitTable::Block block);
  void wake(Endpoint& endpoint);
  void queue_events(Endpoint& endpoint);
  void queue_accept(Listener& listener);
  void note_lent(Endpoint& endpoint);  // its receive queue holds blocks that are not its own
  void take_back_lent();
  void schedule(Endpoint& endpoint);
  void run_timers(Instant now);
  bool run_endpoints(Instant now);
  bool run_notifications();

  TcpConfig config_;
  TcpParts parts_;
  std::shared_ptr<Tcp*> self_ = std::make_shared<Tcp*>(this);  // how streams that outlive the module notice
  IsnGenerator isn_;
  SynCookies cookies_;
  SendBlocks blocks_;
  Demux demux_;
  TimeWaitTable time_wait_;
  PendedSyns pended_;
  std::size_t connection_count_ = 0;
  static constexpr std::size_t kMaxParked = 1'024;
  std::unordered_map<Ticket, Parked> parked_;

  DeadlineQueue deadlines_;
  std::unordered_map<std::uint64_t, Endpoint*> by_id_;  // of deadlines' keys and flows
  std::vector<EndpointPtr> runnable_;
  std::vector<EndpointPtr> events_;
  std::vector<EndpointPtr> spare_;  // empty, with the memory of the last batch
  std::vector<std::shared_ptr<Listener>> accepts_;
  std::vector<EndpointPtr> lent_;  // until the end of poll()
};

}  // namespace stack::tcp
