// One client's socket as the control thread has it: it never waits. What has come and what cannot be sent yet is kept
// here; who uses it looks at room before it asks for more.
#pragma once

#include <optional>
#include <string_view>

#include "src/app/control/byte_queue.hpp"
#include "src/app/control/message.hpp"
#include "tap/file_descriptor.hpp"

namespace app::control {

class ClientSocket {
 public:
  static constexpr std::size_t kMaxWaiting = kChunkBytes;  // bytes of input, and of output but for a whole reply

  explicit ClientSocket(tap::FileDescriptor socket) : socket_(std::move(socket)) {}
  int fd() const { return socket_.get(); }

  bool receive();  // what has come, as far as there is room; true: there was something
  ByteQueue& input() { return input_; }
  bool can_receive() const { return !ended_ && input_.room() > 0; }
  bool has_ended() const { return ended_; }  // the client sends no more; input() may still have bytes
  // A line without its end; nothing: it is not whole yet.
  std::optional<std::string> take_line();

  void send(stack::Bytes bytes) { output_.append(bytes); }
  void send_text(std::string_view text) { send(std::as_bytes(std::span{text})); }
  void send_message(const Json& message);
  void send_chunk(stack::Bytes bytes);           // of a connection; an empty one is its end
  void send_failure(std::string_view sentence);  // what broke the connection
  bool has_room() const { return output_.room() > 0; }
  std::size_t unsent() const { return output_.size(); }
  bool flush();  // true: some of it went

  bool is_gone() const { return gone_; }  // nobody is there any more
  void set_gone() { gone_ = true; }

 private:
  tap::FileDescriptor socket_;
  ByteQueue input_{kMaxWaiting}, output_{kMaxWaiting};
  std::size_t searched_ = 0;  // bytes of input() without the end of a line
  bool ended_ = false;
  bool gone_ = false;
};

}  // namespace app::control
