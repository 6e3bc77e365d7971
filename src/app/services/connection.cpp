#include "src/app/services/connection.hpp"

namespace app::services {

Connection::Connection(ConnectionSet& set, std::unique_ptr<ByteStream> stream)
    : set_(set), stream_(std::move(stream)), last_progress_(set.network().now()) {
  stream_->set_observer(this);
}

void Connection::progressed() {
  last_progress_ = set_.network().now();
  if (!ended_) set_.shares_.progressed(share_);
}

void Connection::abort() {
  stream_->abort();
  end();
}

void Connection::on_failed(stack::Error) {
  if (!ended_) end();
}

void Connection::end() {
  if (ended_) return;
  ended_ = true;
  stream_->set_observer(nullptr);
  stream_->close();
  set_.retire(*this);
}

void Connection::end_after_input() {
  if (ended_ || discarding_) return;
  stream_->shutdown_write();
  discarding_ = true;
  progressed();
  discard_input();
}

bool Connection::discard_input() {
  if (!discarding_ || ended_) return discarding_;
  for (;;) {
    const auto got = stream_->read_in_place(kMaxDiscarded, [](stack::Bytes) { return true; });
    if (got.error == stack::Error::WouldBlock) return true;
    discarded_ += got.count;
    if (got.count == 0 || got.error != stack::Error::None || discarded_ > kMaxDiscarded) {
      end();
      return true;
    }
  }
}

ConnectionSet::~ConnectionSet() {
  if (sweep_timer_ != 0) network_.cancel(sweep_timer_);
  for (auto& connection : live_) connection->stream_->set_observer(nullptr);
}

void ConnectionSet::make_room() {
  while (live_.size() >= limit_) {
    ++displaced_;
    shares_.idlest_of_largest()->abort();
  }
}

void ConnectionSet::insert(std::unique_ptr<Connection> connection) {
  ++accepted_;
  live_.push_back(std::move(connection));
  auto& added = *live_.back();
  added.place_ = std::prev(live_.end());
  added.share_ = shares_.add(added, added.stream().info().remote.address);
  if (sweep_timer_ == 0) sweep_timer_ = network_.call_after(kSweepInterval, [this] { sweep(); });
  added.start();
}

void ConnectionSet::retire(Connection& connection) {
  if (ended_.empty())
    network_.defer([this, alive = std::weak_ptr(alive_)] {
      if (!alive.expired()) ended_.clear();
    });
  shares_.remove(connection.share_);
  ended_.splice(ended_.end(), live_, connection.place_);
}

void ConnectionSet::sweep() {
  sweep_timer_ = 0;
  const auto now = network_.now();
  for (auto at = live_.begin(); at != live_.end();) {
    auto& connection = **at++;  // ending it takes it out of the list
    const auto limit = connection.discarding_ ? kLingerLimit : idle_limit_;
    if (now - connection.last_progress_ >= limit) {
      connection.abort();
    } else if (now >= connection.deadline_) {
      connection.deadline_ = stack::kNever;
      connection.on_overdue();
    }
  }
  if (!live_.empty()) sweep_timer_ = network_.call_after(kSweepInterval, [this] { sweep(); });
}

}  // namespace app::services
