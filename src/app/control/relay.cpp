#include "src/app/control/relay.hpp"

#include <algorithm>
#include <utility>

namespace app::control {

void Relay::connect(services::Network& network, const stack::SocketAddress& remote, const services::OwnerRef& owner) {
  auto error = stack::Error::None;
  stream_ = network.connect(remote, owner, *this, error);
  if (!stream_) on_failed(error);
}

stack::Error Relay::wait_until_connected(stack::TcpStream::Info& info) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return connected_ || failure_ != stack::Error::None || abandoned_; });
  info = info_;
  return abandoned_ ? stack::Error::ConnectionAborted : connected_ ? stack::Error::None : failure_;
}

bool Relay::put(stack::Bytes bytes) {
  std::unique_lock lock(mutex_);
  while (!bytes.empty()) {
    changed_.wait(lock, [this] { return to_peer_.room() > 0 || failure_ != stack::Error::None || abandoned_; });
    if (failure_ != stack::Error::None || abandoned_) return false;
    const auto count = std::min(bytes.size(), to_peer_.room());
    to_peer_.append(bytes.first(count));
    bytes = bytes.subspan(count);
    request_pump();
  }
  return true;
}

void Relay::finish() {
  const std::lock_guard lock(mutex_);
  send_finished_ = true;
  request_pump();
}

services::ByteStream::Transfer Relay::take(stack::MutableBytes into) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] {
    return from_peer_.size() > 0 || receive_ended_ || failure_ != stack::Error::None || abandoned_;
  });
  if (from_peer_.size() == 0) return {0, receive_ended_ ? stack::Error::None : failure_};
  const auto count = std::min(into.size(), from_peer_.size());
  std::copy_n(from_peer_.front().begin(), count, into.begin());
  from_peer_.drop(count);
  request_pump();
  return {count, stack::Error::None};
}

void Relay::abandon() {
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
    changed_.notify_all();
  }
  post_([self = shared_from_this()] {
    if (!self->stream_) return;
    self->stream_->set_observer(nullptr);
    const bool in_order = self->fin_sent_ && self->receive_ended_;
    if (!in_order) self->stream_->abort();
    self->stream_.reset();
  });
}

void Relay::request_pump() {
  if (std::exchange(pump_requested_, true)) return;
  post_([self = shared_from_this()] { self->pump(); });
}

void Relay::on_connected() {
  {
    const std::lock_guard lock(mutex_);
    connected_ = true;
    info_ = stream_->info();
    changed_.notify_all();
  }
  pump();
}

void Relay::on_failed(stack::Error error) {
  const std::lock_guard lock(mutex_);
  failure_ = error;
  changed_.notify_all();
}

void Relay::pump() {
  const std::lock_guard lock(mutex_);
  pump_requested_ = false;
  if (!stream_ || !connected_ || abandoned_) return;
  send_queued();
  receive_more();
  changed_.notify_all();
}

void Relay::send_queued() {
  while (to_peer_.size() > 0) {
    const auto sent = stream_->write(to_peer_.front());
    to_peer_.drop(sent.count);
    if (sent.error == stack::Error::WouldBlock) return;  // on_writable comes
    if (sent.error != stack::Error::None) {
      failure_ = sent.error;
      return;
    }
  }
  if (send_finished_ && !std::exchange(fin_sent_, true)) stream_->shutdown_write();
}

void Relay::receive_more() {
  while (!receive_ended_ && from_peer_.room() > 0) {
    const auto got = stream_->read_in_place(from_peer_.room(), [this](stack::Bytes bytes) {
      from_peer_.append(bytes);
      return true;
    });
    if (got.error == stack::Error::WouldBlock) return;  // on_readable comes
    if (got.error != stack::Error::None) {
      failure_ = got.error;
      return;
    }
    receive_ended_ = got.count == 0;
  }
}

}  // namespace app::control
