// A ticket: one accepted injection, from the call until its completion function has returned. It is the release
// handler of the driver's NBL, so that the stack's last release ends here on every path, whatever the stack did with
// the packet.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "fwps/inject.h"
#include "wfp/host/handle.hpp"
#include "wfp/host/host.hpp"
#include "wfp/ledger/ledger.hpp"

namespace wfp::inject {

inline constexpr std::size_t kMaxInjections = 65'536;  // accepted, not completed
inline constexpr std::size_t kMaxRequests = 16'384;    // accepted, not yet with the stack

class Tickets;

class Ticket final : public ndis::ReleaseHandler {
 public:
  void on_last_release(NET_BUFFER_LIST& nbl) noexcept override;

  const char* function = "";  // that was called
  InjectRequest request;
  HandleValue handle = 0;
  FWPS_INJECT_COMPLETE0 completion = nullptr;
  HANDLE completion_context = nullptr;
  ledger::DriverId driver = ledger::kNoDriver;
  ndis::InjectionMark mark_before;
  Tickets* owner = nullptr;
  Ticket* next = nullptr;  // in the one list that it is in: free, requested, or done
};

// First in, first out; not synchronized.
class TicketList {
 public:
  void push(Ticket& ticket) {
    ticket.next = nullptr;
    (last_ != nullptr ? last_->next : first_) = &ticket;
    last_ = &ticket;
    ++size_;
  }
  Ticket* pop() {
    Ticket* const ticket = first_;
    if (ticket == nullptr) return nullptr;
    first_ = ticket->next;
    if (first_ == nullptr) last_ = nullptr;
    --size_;
    return ticket;
  }
  std::size_t size() const { return size_; }

 private:
  Ticket* first_ = nullptr;
  Ticket* last_ = nullptr;
  std::size_t size_ = 0;
};

// The tickets and the two lists between threads: requests that wait for the processor's thread, and injections that
// the stack is done with. Any thread. The host is woken, without a lock, when a list was empty.
class Tickets {
 public:
  explicit Tickets(Host& host) : host_(host) {}
  Tickets(const Tickets&) = delete;
  Tickets& operator=(const Tickets&) = delete;

  Ticket* take();  // null: kMaxInjections are under way, or kMaxRequests wait
  void give_back(Ticket& ticket);
  void request(Ticket& ticket);  // to be handed to the host
  void done(Ticket& ticket);     // to be completed
  Ticket* next_request();        // null: none
  Ticket* next_done();

  std::size_t request_count() const { return request_count_.load(std::memory_order_acquire); }
  std::size_t done_count() const { return done_count_.load(std::memory_order_acquire); }
  std::size_t in_use() const;

 private:
  Host& host_;
  mutable std::mutex lock_;
  std::deque<Ticket> all_;
  std::vector<Ticket*> free_;
  TicketList requests_, done_;
  std::atomic<std::size_t> request_count_{0}, done_count_{0};
};

}  // namespace wfp::inject
