// A connection: the Tcb, the application's end of it and the way to the peer. Carries out the actions of the
// protocol's steps. Made by Tcp, which owns it while it is a connection; the application holds it through
// stack::TcpStream and may outlive both.
//
// The application's calls change the buffers and note what is wanted (finish, close, abort); the connection itself
// moves only in Tcp::poll and Tcp::receive. Observers are called from Tcp::poll. Used on the stack's thread.
//
// Files: endpoint.cpp (the application's calls), endpoint_progress.cpp (what moves the connection on),
// endpoint_actions.cpp (what the protocol's steps want done), endpoint_output.cpp (sending).
#pragma once

#include <functional>
#include <memory>

#include "stack/hooks/authorizer.hpp"
#include "stack/ip/endpoint_table.hpp"
#include "stack/ip/ip_sender.hpp"
#include "stack/ip/transport_sink.hpp"
#include "stack/tcp/actions.hpp"
#include "stack/tcp/four_tuple.hpp"
#include "stack/tcp/output.hpp"

namespace stack::tcp {

class Listener;
class Tcp;

// The way back to the module, which an application's handle may outlive: null then.
class TcpRef {
 public:
  explicit TcpRef(std::shared_ptr<Tcp*> tcp) : tcp_(std::move(tcp)) {}
  Tcp* operator->() const { return *tcp_; }
  explicit operator bool() const { return *tcp_ != nullptr; }

 private:
  std::shared_ptr<Tcp*> tcp_;
};

class Endpoint final : public std::enable_shared_from_this<Endpoint>, private Actions {
 public:
  class Observer {
   public:
    virtual ~Observer() = default;
    virtual void on_connected() = 0;
    virtual void on_readable() = 0;
    virtual void on_writable() = 0;
    virtual void on_failed(Error error) = 0;
  };
  struct Transfer {
    std::size_t count = 0;
    Error error = Error::None;
  };

  Endpoint(Tcp& tcp, const TcpConfig& config, const FourTuple& tuple, std::shared_ptr<const Owner> owner);
  ~Endpoint() override;
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  // --- for the application (endpoint.cpp) ---
  void set_observer(std::shared_ptr<Observer> observer);
  Transfer read(MutableBytes into);
  Transfer read_in_place(std::size_t limit, const std::function<bool(Bytes)>& visit);
  std::size_t readable_bytes() const { return tcb_.received.size(); }
  Transfer write(Bytes from);
  Transfer write(const BufferRef& block, std::size_t offset, std::size_t count);
  std::size_t writable_bytes() const;
  void finish_after_next_write() { wanted_.finish_after_write = true; }
  void shutdown_write();
  void close();
  void abort();
  void set_no_delay(bool on);
  void set_keep_alive(bool on);
  void set_keep_alive_times(Duration idle, Duration interval, unsigned count);
  void set_give_up_after(Duration r2) { tcb_.give_up_after = r2; }
  Error take_soft_error() { return std::exchange(soft_error_, Error::None); }  // ICMP; the connection lives on

  const FourTuple& tuple() const { return tuple_; }
  State state() const { return tcb_.state; }
  EndpointId id() const { return record_.facts.endpoint; }
  const EndpointFacts& facts() const { return record_.facts; }
  Error error() const { return error_; }
  const Tcb& tcb() const { return tcb_; }  // for reports and tests

 private:
  friend class Tcp;
  friend class Listener;  // hands it out
  enum Event : unsigned { kConnected = 1, kReadable = 2, kWritable = 4, kFailed = 8 };
  enum class Opening : std::uint8_t { Bind, Connect, Syn, Done };  // steps of an active open
  // Requests, until run().
  struct Wanted {
    bool finish = false;
    bool close = false;
    bool abort = false;
    bool flow_abort = false;          // from outside (Tcp::abort_flow), the others are the application's
    bool finish_after_write = false;  // `finish`, once the next write has been taken whole
  };
  // The application, until it is told.
  struct Waiting {
    bool reader = true;       // tell it once there is something to read
    bool writer = false;      // likewise, to write
    bool for_blocks = false;  // a write failed although the buffer had room
  };
  // With the module, which keeps it.
  struct Registration {
    bool is_live = false;       // in the tables: the handle lives
    bool is_half_open = false;  // counts against the listener's backlog
    bool is_runnable = false;   // in the run list
    bool is_notified = false;   // in the notification queue
    bool has_lent = false;      // in the list of those that read in place
    Instant deadline = kNever;  // entry in the deadline queue
  };

  // --- moved by Tcp (endpoint_progress.cpp) ---
  void receive(Segment& segment, Instant now);
  void on_deadline(Instant now);
  void run(Instant now);  // what the application asked for, then output
  void on_path_event(const ip::PathEvent& event, Instant now);
  void begin_active_open(Instant now);

  // --- Actions (endpoint_actions.cpp) ---
  void enter(State next) override;
  bool established(Segment& segment) override;
  void reset_peer(Seq seq) override;
  void close(Error reason) override;
  void abort(Error reason) override;
  void readable() override;
  void writable() override;
  void drop(Segment& segment, Drop reason) override;

  // --- parts of the above ---
  void notify(unsigned events);
  void deliver_events();
  void wake();  // run() soon
  Error write_error() const;
  Transfer after_write(std::size_t wanted, std::size_t count);
  Transfer nothing_to_read();
  void after_read();
  void apply_requests(Instant now);
  void apply_close(Instant now);
  void queue_fin();
  void settle(Instant now);  // gives the endpoint up when the connection no longer needs one

  // --- sending (endpoint_output.cpp) ---
  void output(Instant now);
  bool refresh_route();
  void retry_output(Instant now);
  bool transmit(OutSegment& segment, Instant now);

  TcpRef tcp_;
  FourTuple tuple_;
  std::shared_ptr<const Owner> owner_;
  ip::EndpointRecord record_;
  Tcb tcb_;
  std::optional<ip::Route> route_;
  std::uint32_t route_generation_ = 0;
  std::shared_ptr<Listener> listener_;  // of a passive open, until it is accepted
  std::shared_ptr<Observer> observer_;
  Instant now_{};  // of the call that is running

  // Of an active open.
  Opening opening_ = Opening::Done;
  bool is_asked_ = false;  // the authorizer has been, or is being, asked
  Ticket resumed_ = 0;     // under which the question waited

  Wanted wanted_;
  Waiting waiting_;
  Registration registration_;
  bool is_app_done_ = false;  // it has closed or aborted
  unsigned events_ = 0;
  Error error_ = Error::None;
  Error soft_error_ = Error::None;
};

}  // namespace stack::tcp
