// A TCP connection of the stack with two byte queues in front of it, for a thread that reads and writes a descriptor:
// what `wfptap connect` is made of. Both queues are bounded; a full one stops its source, so that flow control
// reaches from end to end. Half close works in both directions.
//
// The side of the thread: wait_until_connected, put, finish, take, abandon; they may block and may be called from two
// threads. The side of the stack: everything else, on its thread, from tasks that `post` brings there. Kept alive by
// shared_ptr.
#pragma once

#include <condition_variable>
#include <mutex>
#include <vector>

#include "src/app/services/network.hpp"

namespace app::control {

class Relay final : public std::enable_shared_from_this<Relay>, private services::ByteStream::Observer {
 public:
  static constexpr std::size_t kQueueBytes = 1 << 20;  // each way

  using Post = std::function<void(std::function<void()>)>;  // to the stack's thread, from any

  explicit Relay(Post post) : post_(std::move(post)) {}
  ~Relay() override = default;

  // On the stack's thread; the outcome shows in wait_until_connected().
  void connect(services::Network& network, const stack::SocketAddress& remote, const services::OwnerRef& owner);

  stack::Error wait_until_connected(stack::TcpStream::Info& info);
  // Queues all of it; false when the connection is over and nothing more can be sent.
  bool put(stack::Bytes bytes);
  void finish();  // FIN after what is queued
  // Bytes that came, at most into.size(); count 0 is the end of the stream, or what broke it.
  services::ByteStream::Transfer take(stack::MutableBytes into);
  // Ends both queues and the connection: in order when both directions have ended, else with a reset.
  void abandon();

 private:
  void on_connected() override;
  void on_readable() override { pump(); }
  void on_writable() override { pump(); }
  void on_failed(stack::Error error) override;
  void pump();
  void send_queued();
  void receive_more();
  void request_pump();  // any thread; mutex_ held

  class ByteQueue {
   public:
    std::size_t size() const { return bytes_.size() - begin_; }
    std::size_t room() const { return kQueueBytes - size(); }
    stack::Bytes front() const { return stack::Bytes{bytes_}.subspan(begin_); }
    void append(stack::Bytes bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
    void drop(std::size_t count) {
      begin_ += count;
      if (begin_ < bytes_.size() / 2 && begin_ < kQueueBytes) return;
      bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(begin_));
      begin_ = 0;
    }

   private:
    std::vector<std::byte> bytes_;
    std::size_t begin_ = 0;
  };

  Post post_;
  std::unique_ptr<services::ByteStream> stream_;  // the stack's thread only

  std::mutex mutex_;  // guards the rest
  std::condition_variable changed_;
  bool connected_ = false;
  bool pump_requested_ = false;
  bool send_finished_ = false;  // finish() was called
  bool fin_sent_ = false;
  bool receive_ended_ = false;  // the peer's FIN
  bool abandoned_ = false;
  stack::Error failure_ = stack::Error::None;
  stack::TcpStream::Info info_;
  ByteQueue to_peer_, from_peer_;
};

}  // namespace app::control
