#include "src/app/control/message.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace app::control {

Json to_json(const Reply& reply) {
  if (reply.ok) return {{"ok", true}, {"result", reply.result}};
  return {{"ok", false}, {"error", reply.error}};
}

Reply reply_from(const Json& json) {
  if (!json.is_object() || !json.contains("ok") || !json["ok"].is_boolean())
    return Reply::failure("the daemon's answer makes no sense; are program and daemon of the same version?");
  if (json["ok"]) return Reply::success(json.value("result", Json::object()));
  return Reply::failure(json.value("error", "the daemon gives no reason"));
}

bool send_all(int fd, stack::Bytes bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

bool send_text(int fd, std::string_view text) { return send_all(fd, std::as_bytes(std::span{text})); }

std::string message_line(const Json& message) {
  return message.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

bool send_message(int fd, const Json& message) { return send_text(fd, message_line(message)); }

MessageReader::Status MessageReader::next(Json& message) {
  std::array<char, 4096> piece;
  std::size_t searched = 0;
  for (;;) {
    if (const auto end = waiting_.find('\n', searched); end != std::string::npos) {
      const auto line = waiting_.substr(0, end);
      waiting_.erase(0, end + 1);
      message = Json::parse(line, nullptr, false);
      return message.is_discarded() ? Status::Malformed : Status::Message;
    }
    searched = waiting_.size();
    if (searched > limit_) return Status::TooLong;
    const auto got = ::read(fd_, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Status::End;
    waiting_.append(piece.data(), static_cast<std::size_t>(got));
  }
}

std::optional<std::size_t> MessageReader::read(stack::MutableBytes into) {
  if (!waiting_.empty()) {
    const auto count = std::min(waiting_.size(), into.size());
    std::memcpy(into.data(), waiting_.data(), count);
    waiting_.erase(0, count);
    return count;
  }
  for (;;) {
    const auto got = ::read(fd_, into.data(), into.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return std::nullopt;
  }
}

bool MessageReader::read_exactly(stack::MutableBytes into) {
  while (!into.empty()) {
    const auto got = read(into);
    if (!got || *got == 0) return false;
    into = into.subspan(*got);
  }
  return true;
}

}  // namespace app::control
