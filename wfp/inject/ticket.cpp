#include "wfp/inject/ticket.hpp"

namespace wfp::inject {

void Ticket::on_last_release(NET_BUFFER_LIST&) noexcept { owner->done(*this); }

Ticket* Tickets::take() {
  const std::lock_guard guard(lock_);
  if (requests_.size() >= kMaxRequests) return nullptr;
  if (free_.empty()) {
    if (all_.size() >= kMaxInjections) return nullptr;
    Ticket& made = all_.emplace_back();
    made.owner = this;
    return &made;
  }
  Ticket* const ticket = free_.back();
  free_.pop_back();
  return ticket;
}

void Tickets::give_back(Ticket& ticket) {
  const std::lock_guard guard(lock_);
  free_.push_back(&ticket);
}

void Tickets::request(Ticket& ticket) {
  bool first = false;
  {
    const std::lock_guard guard(lock_);
    first = requests_.size() == 0;
    requests_.push(ticket);
    request_count_.store(requests_.size(), std::memory_order_release);
  }
  if (first) host_.wake();
}

void Tickets::done(Ticket& ticket) {
  bool first = false;
  {
    const std::lock_guard guard(lock_);
    first = done_.size() == 0;
    done_.push(ticket);
    done_count_.store(done_.size(), std::memory_order_release);
  }
  if (first) host_.wake();
}

Ticket* Tickets::next_request() {
  if (request_count() == 0) return nullptr;
  const std::lock_guard guard(lock_);
  Ticket* const ticket = requests_.pop();
  request_count_.store(requests_.size(), std::memory_order_release);
  return ticket;
}

Ticket* Tickets::next_done() {
  if (done_count() == 0) return nullptr;
  const std::lock_guard guard(lock_);
  Ticket* const ticket = done_.pop();
  done_count_.store(done_.size(), std::memory_order_release);
  return ticket;
}

std::size_t Tickets::in_use() const {
  const std::lock_guard guard(lock_);
  return all_.size() - free_.size();
}

}  // namespace wfp::inject
