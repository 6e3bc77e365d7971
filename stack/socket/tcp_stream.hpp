// A TCP connection as an application of the stack sees it. Handles are cheap to move and close() on destruction. All of it
// runs on the stack's thread; observers are called from Stack::poll, never from inside a call of this interface.
#pragma once

#include <functional>
#include <memory>

#include "stack/base/result.hpp"
#include "stack/hooks/hook.hpp"
#include "stack/packet/buffer.hpp"

namespace stack::tcp {
class Endpoint;
class Tcp;
}  // namespace stack::tcp

namespace stack {

class TcpStream {
 public:
  // What happened to a stream. Level-like: on_readable and on_writable come again as long as progress is possible only
  // after the application has read or written until WouldBlock.
  struct Observer {
    virtual ~Observer() = default;
    virtual void on_connected() {}
    virtual void on_readable() = 0;           // bytes or the end of the stream
    virtual void on_writable() = 0;           // room in the send buffer after a WouldBlock
    virtual void on_failed(Error error) = 0;  // reset, refused, timed out: the stream is over; called at most once
  };
  struct Info {
    SocketAddress local, remote;
    EndpointId endpoint;
    FlowTag flow = 0;
    const char* state = "";
  };

  TcpStream() = default;
  explicit TcpStream(std::shared_ptr<tcp::Endpoint> endpoint) : endpoint_(std::move(endpoint)) {}
  TcpStream(TcpStream&&) = default;
  TcpStream& operator=(TcpStream&& other) noexcept;
  ~TcpStream();

  explicit operator bool() const { return endpoint_ != nullptr; }
  void set_observer(Observer* observer);  // null: nobody

  // Bytes read, 0 at the end of the stream (the peer's FIN), or WouldBlock (as an Error in `error`).
  struct Transfer {
    std::size_t count = 0;
    Error error = Error::None;
  };
  Transfer read(MutableBytes into);
  // Received bytes in place, without a copy: visit(bytes) in order until it returns false or all `limit` bytes are seen,
  // then consumed by what was visited.
  Transfer read_in_place(std::size_t limit, const std::function<bool(Bytes)>& visit);
  std::size_t readable() const;

  // Copies into the send buffer; a short count means that the buffer is full (then WouldBlock, then on_writable).
  Transfer write(Bytes from);
  // Queues bytes [offset, offset + count) of a block that the caller will not change any more. No copy.
  Transfer write(const BufferRef& block, std::size_t offset, std::size_t count);
  // The bytes written next are the last: their segment carries the FIN (close after a response with Connection: close).
  void finish_after_next_write();
  std::size_t writable() const;

  void shutdown_write();  // FIN after what is queued
  void close();           // FIN after what is queued; unread or later data resets (RFC 9293 3.6.1)
  void abort();           // RST now
  void set_no_delay(bool on);
  void set_keep_alive(bool on);
  Info info() const;

 private:
  std::shared_ptr<tcp::Endpoint> endpoint_;
};

}  // namespace stack
