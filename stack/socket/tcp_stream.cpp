#include "stack/socket/tcp_stream.hpp"

#include "stack/tcp/endpoint.hpp"

namespace stack {
namespace {

// The endpoint owns this and holds it while it calls, so that an observer may replace itself or close the stream.
class Forward final : public tcp::Endpoint::Observer {
 public:
  explicit Forward(TcpStream::Observer& to) : to_(to) {}
  void on_connected() override { to_.on_connected(); }
  void on_readable() override { to_.on_readable(); }
  void on_writable() override { to_.on_writable(); }
  void on_failed(Error error) override { to_.on_failed(error); }

 private:
  TcpStream::Observer& to_;
};

TcpStream::Transfer transfer_of(tcp::Endpoint::Transfer transfer) { return {transfer.count, transfer.error}; }

constexpr TcpStream::Transfer kNoStream{0, Error::Closed};

}  // namespace

TcpStream& TcpStream::operator=(TcpStream&& other) noexcept {
  if (this == &other) return *this;
  close();
  endpoint_ = std::move(other.endpoint_);
  return *this;
}

TcpStream::~TcpStream() { close(); }

void TcpStream::set_observer(Observer* observer) {
  if (endpoint_ == nullptr) return;
  endpoint_->set_observer(observer != nullptr ? std::make_shared<Forward>(*observer) : nullptr);
}

TcpStream::Transfer TcpStream::read(MutableBytes into) {
  return endpoint_ != nullptr ? transfer_of(endpoint_->read(into)) : kNoStream;
}

TcpStream::Transfer TcpStream::read_in_place(std::size_t limit, const std::function<bool(Bytes)>& visit) {
  if (endpoint_ == nullptr) return kNoStream;
  const auto keep = endpoint_;  // the visitor may close this stream
  return transfer_of(keep->read_in_place(limit, visit));
}

std::size_t TcpStream::readable() const { return endpoint_ != nullptr ? endpoint_->readable_bytes() : 0; }

TcpStream::Transfer TcpStream::write(Bytes from) {
  return endpoint_ != nullptr ? transfer_of(endpoint_->write(from)) : kNoStream;
}

TcpStream::Transfer TcpStream::write(const BufferRef& block, std::size_t offset, std::size_t count) {
  return endpoint_ != nullptr ? transfer_of(endpoint_->write(block, offset, count)) : kNoStream;
}

void TcpStream::finish_after_next_write() {
  if (endpoint_ != nullptr) endpoint_->finish_after_next_write();
}

std::size_t TcpStream::writable() const { return endpoint_ != nullptr ? endpoint_->writable_bytes() : 0; }

void TcpStream::shutdown_write() {
  if (endpoint_ != nullptr) endpoint_->shutdown_write();
}

void TcpStream::close() {
  if (const auto endpoint = std::exchange(endpoint_, nullptr)) endpoint->close();
}

void TcpStream::abort() {
  if (const auto endpoint = std::exchange(endpoint_, nullptr)) endpoint->abort();
}

void TcpStream::set_no_delay(bool on) {
  if (endpoint_ != nullptr) endpoint_->set_no_delay(on);
}

void TcpStream::set_keep_alive(bool on) {
  if (endpoint_ != nullptr) endpoint_->set_keep_alive(on);
}

TcpStream::Info TcpStream::info() const {
  if (endpoint_ == nullptr) return {};
  return {endpoint_->tuple().local, endpoint_->tuple().remote, endpoint_->id(), endpoint_->facts().flow,
          tcp::name_of(endpoint_->state())};
}

}  // namespace stack
