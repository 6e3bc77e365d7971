// The application's side of a connection: buffers and requests. Nothing here sends or changes a state; see
// endpoint_progress.cpp.
#include "stack/tcp/endpoint.hpp"

#include "stack/tcp/keep_alive.hpp"
#include "stack/tcp/tcp.hpp"
#include "stack/tcp/window.hpp"

namespace stack::tcp {

Endpoint::Endpoint(Tcp& tcp, const TcpConfig& config, const FourTuple& tuple, std::shared_ptr<const Owner> owner)
    : tcp_(tcp.self_),
      tuple_(tuple),
      owner_(std::move(owner)),
      tcb_(config, tuple.remote.address.family(), tcp.parts_.memory) {
  record_.protocol = wire::kProtocolTcp;
  record_.local = tuple.local;
  record_.remote = tuple.remote;
  record_.state = name_of(State::Closed);
  record_.facts.owner = owner_.get();
}

Endpoint::~Endpoint() { CHECK(!registration_.is_live); }

void Endpoint::set_observer(std::shared_ptr<Observer> observer) {
  observer_ = std::move(observer);
  if (observer_ == nullptr) return;
  // What happened before is told again, so that nobody misses it between accept and here.
  if (error_ != Error::None) notify(kFailed);
  if (!tcb_.received.empty() || tcb_.fin_received) notify(kReadable);
}

void Endpoint::wake() {
  if (tcp_ && registration_.is_live) tcp_->wake(*this);
}

Endpoint::Transfer Endpoint::read(MutableBytes into) {
  if (const std::size_t count = tcb_.received.read(into); count > 0) {
    after_read();
    return {count, Error::None};
  }
  return into.empty() && !tcb_.received.empty() ? Transfer{} : nothing_to_read();
}

// Why a read found no bytes: the stream is over one way or the other, or more may come.
Endpoint::Transfer Endpoint::nothing_to_read() {
  if (error_ != Error::None) return {0, error_};
  if (tcb_.fin_received) return {};
  if (tcb_.state == State::Closed && opening_ == Opening::Done) return {0, Error::Closed};
  waiting_.reader = true;
  return {0, Error::WouldBlock};
}

Endpoint::Transfer Endpoint::read_in_place(std::size_t limit, const std::function<bool(Bytes)>& visit) {
  if (tcb_.received.empty()) return nothing_to_read();
  const std::size_t count = tcb_.received.read_in_place(limit, visit);
  after_read();
  return {count, Error::None};
}

void Endpoint::after_read() {
  if (tcb_.received.empty()) waiting_.reader = true;
  if (!may_receive_data(tcb_.state) || !needs_window_update(tcb_)) return;
  tcb_.window_update_due = true;
  wake();
}

Error Endpoint::write_error() const {
  if (error_ != Error::None) return error_;
  if (is_app_done_ || tcb_.fin_queued || wanted_.finish || wanted_.close || wanted_.abort) return Error::Closed;
  if (opening_ != Opening::Done || tcb_.state == State::SynSent || tcb_.state == State::SynReceived)
    return Error::None;
  const bool is_open = tcb_.state == State::Established || tcb_.state == State::CloseWait;
  return is_open && tcp_ ? Error::None : Error::Closed;
}

Endpoint::Transfer Endpoint::after_write(std::size_t wanted, std::size_t count) {
  waiting_.for_blocks = count < wanted && tcb_.send.room() > 0;
  if (count < wanted)
    waiting_.writer = true;
  else if (std::exchange(wanted_.finish_after_write, false))
    wanted_.finish = true;
  if (count > 0 || waiting_.for_blocks) wake();
  return {count, count == 0 && wanted > 0 ? Error::WouldBlock : Error::None};
}

Endpoint::Transfer Endpoint::write(Bytes from) {
  if (const Error error = write_error(); error != Error::None) return {0, error};
  return after_write(from.size(), tcb_.send.write(from, tcp_->blocks_));
}

Endpoint::Transfer Endpoint::write(const BufferRef& block, std::size_t offset, std::size_t count) {
  if (const Error error = write_error(); error != Error::None) return {0, error};
  return after_write(count, tcb_.send.write(block, offset, count, tcp_->blocks_));
}

std::size_t Endpoint::writable_bytes() const { return write_error() == Error::None ? tcb_.send.room() : 0; }

void Endpoint::shutdown_write() {
  wanted_.finish = true;
  wake();
}

void Endpoint::close() {
  wanted_.close = true;
  observer_ = nullptr;
  wake();
}

void Endpoint::abort() {
  wanted_.abort = true;
  observer_ = nullptr;
  wake();
}

void Endpoint::set_no_delay(bool on) {
  tcb_.no_delay = on;
  wake();
}

void Endpoint::set_keep_alive(bool on) {
  tcb_.keep_alive = on;
  // Counted from what was heard last; a deadline in the past is looked at in the next poll.
  tcp::set_keep_alive(tcb_, on, tcb_.last_received_at);
  wake();
}

void Endpoint::set_keep_alive_times(Duration idle, Duration interval, unsigned count) {
  tcb_.keep_alive_idle = idle;
  tcb_.keep_alive_interval = interval;
  tcb_.keep_alive_count = count;
  set_keep_alive(tcb_.keep_alive);
}

void Endpoint::notify(unsigned events) {
  events_ |= events;
  if (observer_ != nullptr && tcp_) tcp_->queue_events(*this);
}

// Each callback may replace the observer, close the stream, or drop the last handle.
void Endpoint::deliver_events() {
  const auto told = [this](Event event) {
    if ((events_ & event) == 0 || observer_ == nullptr) return std::shared_ptr<Observer>{};
    events_ &= ~static_cast<unsigned>(event);
    return observer_;
  };
  if (const auto observer = told(kConnected)) observer->on_connected();
  if (const auto observer = told(kReadable)) observer->on_readable();
  if (const auto observer = told(kWritable)) observer->on_writable();
  if (const auto observer = told(kFailed)) observer->on_failed(error_);
}

}  // namespace stack::tcp
