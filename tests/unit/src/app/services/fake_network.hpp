// A network in memory for the tests of services: streams with a bounded send buffer whose other end is the test,
// datagrams, and time that moves when the test says so.
#pragma once

#include <gtest/gtest.h>
#include <atomic>

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "src/app/services/network.hpp"

namespace app::services {

// What both the service's stream and the test hold of one connection.
struct FakeWire {
  std::string to_service;  // written by the test, not yet read
  bool test_finished = false;
  std::string from_service;      // written by the service
  std::size_t window = 1 << 20;  // bytes that from_service may still grow by
  bool fin_on_data = false;      // finish_after_next_write() and then a write
  std::atomic<bool> fin{false};
  bool reset = false;
  bool closed = false;
  bool blocked = false;  // a write has returned WouldBlock
  bool finish_next = false;
  ByteStream::Observer* observer = nullptr;
  stack::SocketAddress remote;
};

class FakeStream final : public ByteStream {
 public:
  explicit FakeStream(std::shared_ptr<FakeWire> wire) : wire_(std::move(wire)) {}
  ~FakeStream() override { FakeStream::close(); }
  void set_observer(Observer* observer) override { wire_->observer = observer; }
  Transfer read(stack::MutableBytes into) override {
    auto& data = wire_->to_service;
    if (data.empty()) return wire_->test_finished ? Transfer{} : Transfer{0, stack::Error::WouldBlock};
    const auto count = std::min(into.size(), data.size());
    std::memcpy(into.data(), data.data(), count);
    data.erase(0, count);
    return {count, stack::Error::None};
  }
  Transfer read_in_place(std::size_t limit, const std::function<bool(stack::Bytes)>& visit) override {
    std::vector<std::byte> copy(std::min(limit, wire_->to_service.size()));
    const auto got = read(copy);
    if (got.count > 0) visit(copy);
    return got;
  }
  std::size_t readable() const override { return wire_->to_service.size(); }
  Transfer write(stack::Bytes from) override {
    EXPECT_FALSE(wire_->fin) << "a write after the end";
    const auto count = std::min(from.size(), wire_->window);
    wire_->from_service.append(reinterpret_cast<const char*>(from.data()), count);
    wire_->window -= count;
    if (wire_->finish_next && count == from.size()) wire_->fin = wire_->fin_on_data = true;
    if (count < from.size()) wire_->blocked = true;
    return {count, count == 0 && !from.empty() ? stack::Error::WouldBlock : stack::Error::None};
  }
  Transfer write(const stack::BufferRef& block, std::size_t offset, std::size_t count) override {
    EXPECT_LE(offset + count, block.bytes().size());
    return write(stack::Bytes{block.bytes()}.subspan(offset, count));
  }
  void finish_after_next_write() override { wire_->finish_next = true; }
  std::size_t writable() const override { return wire_->window; }
  void shutdown_write() override { wire_->fin = true; }
  void close() override { wire_->fin = wire_->closed = true; }
  void abort() override { wire_->reset = true; }
  void set_no_delay(bool) override {}
  stack::TcpStream::Info info() const override {
    stack::TcpStream::Info info;
    info.remote = wire_->remote;
    return info;
  }

 private:
  std::shared_ptr<FakeWire> wire_;
};

class FakeNetwork final : public Network {
 public:
  struct Datagram {
    std::string payload;
    stack::SocketAddress remote, local;
    bool to_group = false;
  };

  // --- Network ---
  std::unique_ptr<ListeningPort> listen(std::uint16_t port, const OwnerRef&, AcceptHandler accept,
                                        stack::Error& error) override {
    if (accept_.contains(port)) return error = stack::Error::AddressInUse, nullptr;
    accept_[port] = std::move(accept);
    return std::make_unique<ListeningPort>();
  }
  std::unique_ptr<DatagramSocket> open_datagrams(std::uint16_t, const OwnerRef&, stack::Error&) override {
    return std::make_unique<Socket>(*this);
  }
  std::unique_ptr<ByteStream> connect(const stack::SocketAddress&, const OwnerRef&, ByteStream::Observer& observer,
                                      stack::Error& error) override {
    if (refuse_connect) return error = stack::Error::NetworkUnreachable, nullptr;
    connected = std::make_shared<FakeWire>();
    connected->observer = &observer;
    return std::make_unique<FakeStream>(connected);
  }
  void defer(std::function<void()> task) override { tasks_.push_back(std::move(task)); }
  TimerId call_after(stack::Duration delay, std::function<void()> task) override {
    timers_[++last_timer_] = {now_ + delay, std::move(task)};
    return last_timer_;
  }
  void cancel(TimerId timer) override { timers_.erase(timer); }
  stack::Instant now() const override { return now_; }
  std::time_t wall_clock() const override { return 382'729'063; }  // Tuesday, February 16, 1982

  // --- the test's side ---
  std::shared_ptr<FakeWire> accept(std::uint16_t port, std::size_t window = 1 << 20,
                                   const char* remote = "10.77.0.1") {
    auto wire = std::make_shared<FakeWire>();
    wire->window = window;
    wire->remote = {*stack::IpAddress::parse(remote), 40'000};
    accept_.at(port)(std::make_unique<FakeStream>(wire));
    run();
    return wire;
  }
  void send(FakeWire& wire, std::string_view bytes) {
    wire.to_service += bytes;
    if (wire.observer != nullptr) wire.observer->on_readable();
    run();
  }
  void finish(FakeWire& wire) {
    wire.test_finished = true;
    if (wire.observer != nullptr) wire.observer->on_readable();
    run();
  }
  // Takes what has come and gives the service that much room again.
  std::string take(FakeWire& wire) {
    auto bytes = std::exchange(wire.from_service, {});
    wire.window += bytes.size();
    if (std::exchange(wire.blocked, false) && wire.observer != nullptr) wire.observer->on_writable();
    run();
    return bytes;
  }
  void advance(stack::Duration by) {
    const auto until = now_ + by;
    for (;;) {
      auto next = std::min_element(timers_.begin(), timers_.end(),
                                   [](const auto& a, const auto& b) { return a.second.when < b.second.when; });
      if (next == timers_.end() || next->second.when > until) break;
      now_ = next->second.when;
      auto task = std::move(next->second.task);
      timers_.erase(next);
      task();
      run();
    }
    now_ = until;
  }
  void run() {
    while (!tasks_.empty()) {
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      task();
    }
  }
  void receive_datagram(Datagram datagram) {
    arrived_.push_back(std::move(datagram));
    if (readable_) readable_();
    run();
  }
  std::vector<Datagram> sent_datagrams;
  std::shared_ptr<FakeWire> connected;  // of the last connect()
  bool refuse_connect = false;
  std::size_t timer_count() const { return timers_.size(); }

 private:
  struct Timer {
    stack::Instant when;
    std::function<void()> task;
  };
  class Socket final : public DatagramSocket {
   public:
    explicit Socket(FakeNetwork& network) : network_(network) {}
    void set_readable_handler(std::function<void()> handler) override { network_.readable_ = std::move(handler); }
    std::optional<Received> receive(stack::MutableBytes into) override {
      if (network_.arrived_.empty()) return std::nullopt;
      const auto datagram = std::move(network_.arrived_.front());
      network_.arrived_.pop_front();
      std::memcpy(into.data(), datagram.payload.data(), datagram.payload.size());
      return Received{datagram.payload.size(), datagram.remote, datagram.local, datagram.to_group};
    }
    stack::Error send_to(stack::Bytes payload, const stack::SocketAddress& remote,
                         const stack::IpAddress& source) override {
      network_.sent_datagrams.push_back(
          {std::string(reinterpret_cast<const char*>(payload.data()), payload.size()), remote, {source, 0}});
      return stack::Error::None;
    }

   private:
    FakeNetwork& network_;
  };

  std::map<std::uint16_t, AcceptHandler> accept_;
  std::deque<std::function<void()>> tasks_;
  std::map<TimerId, Timer> timers_;
  TimerId last_timer_ = 0;
  stack::Instant now_ = stack::Instant::from_ns(1);
  std::deque<Datagram> arrived_;
  std::function<void()> readable_;
};

}  // namespace app::services
