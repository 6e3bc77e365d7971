// An application at one end of a TCP connection: sends bytes of a pattern, then its FIN, and checks that what it
// receives is the pattern. What it does at the end is the test's choice.
#pragma once

#include <algorithm>
#include <array>

#include "stack/socket/tcp_stream.hpp"

namespace test {

class Talker final : public stack::TcpStream::Observer {
 public:
  enum class AtEnd : std::uint8_t { Close, Stay };  // after the peer's FIN, when all is sent

  explicit Talker(std::size_t total, AtEnd at_end = AtEnd::Close) : left_(total), at_end_(at_end) {}

  void start(stack::TcpStream stream) {
    stream_ = std::move(stream);
    stream_.set_observer(this);
    on_writable();
  }
  // Does not shut its direction down by itself when all is sent.
  void keep_open() { shut_ = true; }
  void close() { stream_.close(); }
  stack::TcpStream& stream() { return stream_; }

  void on_connected() override {
    connected = true;
    on_writable();
  }
  void on_readable() override {
    std::array<std::byte, 16'384> buffer;
    for (;;) {
      const auto got = stream_.read(buffer);
      if (got.error != stack::Error::None) return;
      if (got.count == 0) {
        finished = true;
        if (left_ == 0 && at_end_ == AtEnd::Close) stream_.close();
        return;
      }
      for (std::size_t i = 0; i < got.count; ++i)
        if (buffer[i] != value(received + i)) ++wrong;
      received += got.count;
    }
  }
  void on_writable() override {
    std::array<std::byte, 16'384> buffer;
    while (left_ > 0) {
      const std::size_t want = std::min(left_, buffer.size());
      for (std::size_t i = 0; i < want; ++i) buffer[i] = value(sent_ + i);
      const auto put = stream_.write(stack::Bytes{buffer}.first(want));
      sent_ += put.count;
      left_ -= put.count;
      if (put.count < want) return;
    }
    if (!shut_) stream_.shutdown_write();
    shut_ = true;
  }
  void on_failed(stack::Error why) override { failure = why; }

  std::size_t received = 0, wrong = 0;
  bool connected = false, finished = false;
  stack::Error failure = stack::Error::None;

 private:
  static std::byte value(std::size_t position) { return static_cast<std::byte>(position * 7 + position / 251); }

  stack::TcpStream stream_;
  std::size_t left_, sent_ = 0;
  AtEnd at_end_;
  bool shut_ = false;
};

}  // namespace test
