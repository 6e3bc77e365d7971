#include "src/app/control/listener.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

#include "src/app/control/message.hpp"

namespace app::control {
namespace {

constexpr std::chrono::milliseconds kPause{100};

tap::FileDescriptor open_spare() { return tap::FileDescriptor{open("/", O_PATH | O_CLOEXEC)}; }

}  // namespace

Listener::Listener(int socket) : socket_(socket), spare_(open_spare()) {}

tap::FileDescriptor Listener::accept_once() const {
  return tap::FileDescriptor{accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
}

Listener::Result Listener::accept() {
  auto client = accept_once();
  if (client) return {std::move(client), false, true};
  if (errno == EINTR || errno == ECONNABORTED) return {{}, false, true};
  if (errno == EAGAIN) return {};
  return turn_away();
}

Listener::Result Listener::turn_away() {
  spare_.reset();
  auto client = accept_once();
  const bool somebody = client.get() >= 0;
  if (somebody)
    send_message(client.get(),
                 to_json(Reply::failure("the daemon has no file descriptors left (ulimit -n); try again "
                                        "when other clients have ended, or raise its limit")));
  else if (errno != EAGAIN)
    ready_at_ = Clock::now() + kPause;  // not in a spin
  client.reset();                       // the spare one again
  spare_ = open_spare();
  return {{}, true, somebody};
}

}  // namespace app::control
