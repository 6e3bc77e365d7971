#include "src/app/control/client_socket.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

namespace app::control {

bool ClientSocket::receive() {
  std::array<std::byte, 64 * 1024> piece;
  const auto before = input_.size();
  while (!ended_ && !gone_ && input_.room() > 0) {
    const auto got = recv(fd(), piece.data(), std::min(piece.size(), input_.room()), MSG_DONTWAIT);
    if (got > 0) input_.append(stack::Bytes{piece}.first(static_cast<std::size_t>(got)));
    if (got == 0) ended_ = true;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno != EAGAIN) gone_ = true;
    if (got <= 0) break;
  }
  return input_.size() > before;
}

std::optional<std::string> ClientSocket::take_line() {
  const auto bytes = input_.front();
  const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(std::min(searched_, bytes.size()));
  const auto end = std::find(from, bytes.end(), std::byte{'\n'});
  searched_ = end == bytes.end() ? bytes.size() : 0;
  if (end == bytes.end()) return std::nullopt;
  const auto size = static_cast<std::size_t>(end - bytes.begin());
  std::string line(reinterpret_cast<const char*>(bytes.data()), size);
  input_.drop(size + 1);
  return line;
}

void ClientSocket::send_message(const Json& message) { send_text(message_line(message)); }

void ClientSocket::send_chunk(stack::Bytes bytes) {
  std::array<std::byte, 4> length;
  stack::store_be32(length, 0, static_cast<std::uint32_t>(bytes.size()));
  send(length);
  send(bytes);
}

void ClientSocket::send_failure(std::string_view sentence) {
  std::array<std::byte, 8> head;
  sentence = sentence.substr(0, kMaxFailureText);
  stack::store_be32(head, 0, kFailure);
  stack::store_be32(head, 4, static_cast<std::uint32_t>(sentence.size()));
  send(head);
  send_text(sentence);
}

bool ClientSocket::flush() {
  const auto before = output_.size();
  while (!gone_ && !output_.is_empty()) {
    const auto bytes = output_.front();
    const auto sent = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) output_.drop(static_cast<std::size_t>(sent));
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) gone_ = true;
    if (sent < 0) break;
  }
  return output_.size() < before;
}

}  // namespace app::control
