#include "src/app/supervisor/channel.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

namespace app {

bool Channel::make_pair(Channel& one, Channel& other) {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) return false;
  one = Channel{fds[0]};
  other = Channel{fds[1]};
  return true;
}

bool Channel::send(const nlohmann::json& message) const {
  auto text = message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (text.size() > kMaxMessage) return false;
  ssize_t sent = 0;
  do {
    sent = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(text.size());
}

std::optional<nlohmann::json> Channel::receive() const {
  std::string text(kMaxMessage, '\0');
  ssize_t got = 0;
  do {
    got = recv(fd_.get(), text.data(), text.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return std::nullopt;
  auto message = nlohmann::json::parse(text.begin(), text.begin() + got, nullptr, false);
  if (message.is_discarded() || !message.is_object()) return nlohmann::json::object();
  return message;
}

bool Channel::keep_on_exec(bool keep) const { return fcntl(fd_.get(), F_SETFD, keep ? 0 : FD_CLOEXEC) == 0; }

std::string type_of(const nlohmann::json& message) { return message.value("type", ""); }

}  // namespace app
