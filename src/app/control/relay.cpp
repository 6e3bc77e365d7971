#include "src/app/control/relay.hpp"

#include <algorithm>
#include <utility>

namespace app::control {

void Relay::connect(services::Network& network, const stack::SocketAddress& remote, const services::OwnerRef& owner) {
  {
    const std::lock_guard lock(mutex_);
    if (abandoned_) return;  // the client has gone meanwhile
  }
  auto error = stack::Error::None;
  stream_ = network.connect(remote, owner, *this, error);
  if (!stream_) on_failed(error);
}

std::optional<stack::Error> Relay::outcome(stack::TcpStream::Info& info) {
  const std::lock_guard lock(mutex_);
  info = info_;
  if (connected_) return stack::Error::None;
  if (failure_ != stack::Error::None) return failure_;
  return std::nullopt;
}

services::ByteStream::Transfer Relay::put(stack::Bytes bytes) {
  const std::lock_guard lock(mutex_);
  if (is_broken()) return {0, abandoned_ ? stack::Error::ConnectionAborted : failure_};
  const auto count = std::min(bytes.size(), to_peer_.room());
  to_peer_.append(bytes.first(count));
  wants_room_ = count < bytes.size();
  if (count > 0) request_pump();
  return {count, stack::Error::None};
}

void Relay::finish() {
  const std::lock_guard lock(mutex_);
  send_finished_ = true;
  request_pump();
}

services::ByteStream::Transfer Relay::take(stack::MutableBytes into) {
  const std::lock_guard lock(mutex_);
  if (from_peer_.is_empty()) {
    if (receive_ended_) return {};
    if (is_broken()) return {0, abandoned_ ? stack::Error::ConnectionAborted : failure_};
    wants_bytes_ = true;
    return {0, stack::Error::WouldBlock};
  }
  const bool was_full = from_peer_.room() == 0;
  const auto count = std::min(into.size(), from_peer_.size());
  std::copy_n(from_peer_.front().begin(), count, into.begin());
  from_peer_.drop(count);
  if (was_full) request_pump();
  return {count, stack::Error::None};
}

bool Relay::is_sent() {
  const std::lock_guard lock(mutex_);
  return fin_sent_ || is_broken();
}

void Relay::abandon() {
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
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
  }
  changed_();
  pump();
}

void Relay::on_failed(stack::Error error) {
  {
    const std::lock_guard lock(mutex_);
    failure_ = error;
  }
  changed_();
}

void Relay::pump() {
  bool tell = false;
  {
    const std::lock_guard lock(mutex_);
    pump_requested_ = false;
    if (!stream_ || !connected_ || abandoned_) return;
    const auto before = failure_;
    tell = send_queued();
    tell = receive_more() || tell || failure_ != before;
  }
  if (tell) changed_();
}

bool Relay::send_queued() {
  while (!to_peer_.is_empty()) {
    const auto sent = stream_->write(to_peer_.front());
    to_peer_.drop(sent.count);
    if (sent.error == stack::Error::WouldBlock) break;  // on_writable comes
    if (sent.error != stack::Error::None) {
      failure_ = sent.error;
      return true;
    }
  }
  const bool sent_fin = to_peer_.is_empty() && send_finished_ && !std::exchange(fin_sent_, true);
  if (sent_fin) stream_->shutdown_write();
  const bool has_room = to_peer_.room() > 0 && std::exchange(wants_room_, false);
  return sent_fin || has_room;
}

bool Relay::receive_more() {
  const bool had_ended = receive_ended_;
  while (!receive_ended_ && from_peer_.room() > 0) {
    const auto got = stream_->read_in_place(from_peer_.room(), [this](stack::Bytes bytes) {
      from_peer_.append(bytes);
      return true;
    });
    if (got.error == stack::Error::WouldBlock) break;  // on_readable comes
    if (got.error != stack::Error::None) {
      failure_ = got.error;
      return true;
    }
    receive_ended_ = got.count == 0;
  }
  const bool has_bytes = !from_peer_.is_empty() && std::exchange(wants_bytes_, false);
  return has_bytes || receive_ended_ != had_ended;
}

}  // namespace app::control
