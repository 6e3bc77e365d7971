#include "src/app/control/server.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "src/app/control/session.hpp"

namespace app::control {
namespace {

constexpr int kBacklog = 16;
constexpr timeval kSendTimeout{30, 0};  // a client that takes nothing for so long is gone

bool fill_address(const std::string& path, sockaddr_un& address, std::string& error) {
  address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    error = "control socket " + path + ": the path is too long; choose one of at most " +
            std::to_string(sizeof address.sun_path - 1) + " bytes with --control";
    return false;
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return true;
}

// A socket file whose daemon is gone refuses connections; only such a one is removed.
bool remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat facts {};
  if (lstat(path.c_str(), &facts) != 0 || !S_ISSOCK(facts.st_mode)) return false;
  const tap::FileDescriptor probe{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const bool answered = connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  return !answered && errno == ECONNREFUSED && unlink(path.c_str()) == 0;
}

bool bind_private(int fd, const sockaddr_un& address) {
  const auto before = umask(0177);  // born with mode 0600
  const int result = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int reason = errno;
  umask(before);
  errno = reason;
  return result == 0;
}

}  // namespace

std::unique_ptr<Server> Server::open(const std::string& path, Backend& backend, std::string& error) {
  sockaddr_un address{};
  if (!fill_address(path, address, error)) return nullptr;
  tap::FileDescriptor listener{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  bool bound = listener.get() >= 0 && bind_private(listener.get(), address);
  if (!bound && errno == EADDRINUSE && remove_stale(path, address)) bound = bind_private(listener.get(), address);
  if (!bound || listen(listener.get(), kBacklog) != 0) {
    error =
        "control socket " + path + ": " +
        (errno == EADDRINUSE ? "another daemon uses it; choose another one with --control" : std::strerror(errno));
    return nullptr;
  }
  return std::unique_ptr<Server>(new Server(path, std::move(listener), backend));
}

Server::Server(std::string path, tap::FileDescriptor listener, Backend& backend)
    : path_(std::move(path)), listener_(std::move(listener)), backend_(backend), owner_(geteuid()) {}

void Server::start() {
  thread_ = std::thread([this] { accept_clients(); });
}

bool Server::give_to(uid_t owner) {
  owner_ = owner;
  return chown(path_.c_str(), owner, static_cast<gid_t>(-1)) == 0;
}

Server::~Server() {
  stop();
  unlink(path_.c_str());
}

void Server::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  shutdown(listener_.get(), SHUT_RDWR);  // wakes accept()
  thread_.join();
  {
    const std::lock_guard lock(mutex_);
    for (auto& client : clients_) shutdown(client.socket.get(), SHUT_RDWR);
  }
  for (auto& client : clients_) client.thread.join();
  clients_.clear();
}

void Server::accept_clients() {
  while (!stopping_) {
    tap::FileDescriptor socket{accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    if (socket.get() < 0) {
      if (errno != EINTR && errno != ECONNABORTED && !stopping_) usleep(10'000);  // out of descriptors: not in a spin
      continue;
    }
    remove_ended();
    admit(std::move(socket));
  }
}

void Server::admit(tap::FileDescriptor socket) {
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kSendTimeout, sizeof kSendTimeout);
  if (!is_admitted(socket.get())) {
    send_message(socket.get(), to_json(Reply::failure("only the daemon's owner may use this socket")));
    return;
  }
  const std::lock_guard lock(mutex_);
  if (clients_.size() >= kMaxClients) {
    send_message(socket.get(), to_json(Reply::failure("too many clients; try again when one has ended")));
    return;
  }
  auto& client = clients_.emplace_back();
  client.socket = std::move(socket);
  client.thread = std::thread([this, &client] {
    serve(client.socket.get(), backend_);
    shutdown(client.socket.get(), SHUT_RDWR);
    client.ended = true;
  });
}

bool Server::is_admitted(int socket) const {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == owner_ || peer.uid == 0;
}

void Server::remove_ended() {
  const std::lock_guard lock(mutex_);
  for (auto at = clients_.begin(); at != clients_.end();) {
    if (!at->ended) {
      ++at;
      continue;
    }
    at->thread.join();
    at = clients_.erase(at);
  }
}

}  // namespace app::control
