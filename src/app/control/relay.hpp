// A TCP connection of the stack with two byte queues in front of it, for a thread that may not wait: what `wfptap
// connect` is made of. Both queues are bounded; a full one stops its source, so that flow control reaches from end to
// end. Half close works in both directions.
//
// The client's side: outcome, put, finish, take, is_sent, abandon; none of them waits. `changed` is called when one of
// them would answer differently than it did, on the stack's thread and without a lock held. The side of the stack:
// everything else, on its thread, from tasks that `post` brings there. Kept alive by shared_ptr.
#pragma once

#include <functional>
#include <mutex>
#include <optional>

#include "src/app/control/byte_queue.hpp"
#include "src/app/services/network.hpp"

namespace app::control {

class Relay final : public std::enable_shared_from_this<Relay>, private services::ByteStream::Observer {
 public:
  static constexpr std::size_t kQueueBytes = 1 << 20;  // each way

  using Post = std::function<void(std::function<void()>)>;  // to the stack's thread, from any

  Relay(Post post, std::function<void()> changed) : post_(std::move(post)), changed_(std::move(changed)) {}
  ~Relay() override = default;

  // On the stack's thread; outcome() tells what came of it.
  void connect(services::Network& network, const stack::SocketAddress& remote, const services::OwnerRef& owner);

  // Nothing while it is being connected.
  std::optional<stack::Error> outcome(stack::TcpStream::Info& info);
  // Queues what there is room for and says how much that was. Error: the connection is over, nothing more can be sent.
  services::ByteStream::Transfer put(stack::Bytes bytes);
  void finish();  // FIN after what is queued
  // Bytes that came, at most into.size(); WouldBlock: none yet. Count 0 is the end of the stream, or what broke it.
  services::ByteStream::Transfer take(stack::MutableBytes into);
  bool is_sent();  // all that was queued and the FIN after it are the stack's now, or the connection is over
  // Ends both queues and the connection: in order when both directions have ended, else with a reset.
  void abandon();

 private:
  void on_connected() override;
  void on_readable() override { pump(); }
  void on_writable() override { pump(); }
  void on_failed(stack::Error error) override;
  void pump();
  bool send_queued();  // mutex_ held, as the next; true: tell the client's side
  bool receive_more();
  void request_pump();  // any thread; mutex_ held
  bool is_broken() const { return failure_ != stack::Error::None || abandoned_; }

  Post post_;
  const std::function<void()> changed_;
  std::unique_ptr<services::ByteStream> stream_;  // the stack's thread only

  std::mutex mutex_;  // guards the rest
  bool connected_ = false;
  bool pump_requested_ = false;
  bool wants_room_ = false;     // put() could not queue all
  bool wants_bytes_ = false;    // take() found none
  bool send_finished_ = false;  // finish() was called
  bool fin_sent_ = false;
  bool receive_ended_ = false;  // the peer's FIN
  bool abandoned_ = false;
  stack::Error failure_ = stack::Error::None;
  stack::TcpStream::Info info_;
  ByteQueue to_peer_{kQueueBytes}, from_peer_{kQueueBytes};
};

}  // namespace app::control
