#include "src/app/control/server.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <utility>
#include <vector>

namespace app::control {
namespace {

constexpr int kAcceptedAtOnce = 32;
constexpr std::chrono::milliseconds kGrace{200};  // for a client's first request

int milliseconds_until(Session::Clock::time_point when) {
  constexpr std::chrono::milliseconds kLongest{3'600'000};
  if (when == Session::Clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(when - Session::Clock::now());
  return static_cast<int>(std::clamp(left, std::chrono::milliseconds{0}, kLongest).count());
}

}  // namespace

std::unique_ptr<Server> Server::open(const std::string& path, Backend& backend, std::string& error) {
  auto file = SocketFile::make(path, error);
  if (!file) return nullptr;
  std::unique_ptr<Server> server{new Server(std::move(file), backend)};
  if (server->mailbox_->fd() >= 0) return server;
  error = "control socket " + path + ": no file descriptor is left to wake its thread";
  return nullptr;
}

Server::Server(std::unique_ptr<SocketFile> file, Backend& backend)
    : file_(std::move(file)), listener_(file_->listener()), backend_(backend), owner_(geteuid()) {}

Server::~Server() { stop(); }

std::string Server::start() {
  try {
    thread_ = std::thread([this] { run(); });
    return {};
  } catch (const std::system_error& failure) {
    return std::string("cannot start a thread for the control socket: ") + failure.what();
  }
}

std::string Server::give_to(uid_t owner) {
  owner_ = owner;
  return file_->give_to(owner);
}

void Server::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  mailbox_->wake();
  thread_.join();
}

void Server::run() {
  while (!stopping_) wait_and_serve();
  for (const auto& [id, session] : sessions_) session->dismiss("the daemon is ending");
  sessions_.clear();
}

void Server::wait_and_serve() {
  const bool accepts = listener_.ready_at() <= Clock::now();
  std::vector<pollfd> waiting{{mailbox_->fd(), POLLIN, 0}, {accepts ? file_->listener() : -1, POLLIN, 0}};
  std::vector<Session*> polled;
  for (const auto& [id, session] : sessions_) {
    waiting.push_back({session->fd(), session->wanted_events(), 0});
    polled.push_back(session.get());
  }
  if (poll(waiting.data(), waiting.size(), milliseconds_until(next_deadline())) < 0) return;
  if (waiting[0].revents != 0) read_mail();
  for (std::size_t i = 0; i < polled.size(); ++i)
    if (waiting[i + 2].revents != 0) polled[i]->on_events(waiting[i + 2].revents);
  for (auto* session : polled)
    if (session->deadline() <= Clock::now()) session->on_deadline();
  remove_ended();
  if (waiting[1].revents != 0) accept_clients();
}

Server::Clock::time_point Server::next_deadline() const {
  auto next = Clock::time_point::max();
  if (listener_.ready_at() > Clock::now()) next = listener_.ready_at();
  for (const auto& [id, session] : sessions_) next = std::min(next, session->deadline());
  return next;
}

void Server::read_mail() {
  const auto notes = mailbox_->take();
  for (const auto& [id, reply] : notes.replies)
    if (const auto at = sessions_.find(id); at != sessions_.end()) at->second->on_reply(reply);
  for (const auto id : notes.changed)
    if (const auto at = sessions_.find(id); at != sessions_.end()) at->second->on_changed();
}

void Server::accept_clients() {
  for (int i = 0; i < kAcceptedAtOnce; ++i) {
    auto result = listener_.accept();
    if (result.out_of_descriptors && !std::exchange(was_out_of_descriptors_, true))
      backend_.warn("no file descriptors are left for clients of the control socket (ulimit -n)");
    if (result.client) {
      was_out_of_descriptors_ = false;
      admit(std::move(result.client));
    }
    if (!result.look_again) return;
  }
}

void Server::admit(tap::FileDescriptor socket) {
  if (!is_admitted(socket.get())) {
    send_message(socket.get(), to_json(Reply::failure("only the daemon's owner may use this socket")));
    return;
  }
  if (sessions_.size() >= kMaxClients && !make_room()) {
    send_message(socket.get(), to_json(Reply::failure("too many clients are busy; try again when one has ended")));
    return;
  }
  const auto id = ++last_id_;
  sessions_.emplace(id, std::make_unique<Session>(id, std::move(socket), backend_, mailbox_));
}

bool Server::is_admitted(int socket) const {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == owner_ || peer.uid == 0;
}

// Not one that has just come, whose request may be on its way.
bool Server::make_room() {
  auto longest = sessions_.end();
  auto since = Clock::now() - kGrace;
  for (auto at = sessions_.begin(); at != sessions_.end(); ++at) {
    if (!at->second->is_idle() || at->second->last_active() > since) continue;
    at->second->on_events(POLLIN);  // unless it has sent one meanwhile
    if (!at->second->is_idle() || at->second->last_active() > since) continue;
    longest = at;
    since = at->second->last_active();
  }
  if (longest == sessions_.end()) return false;
  longest->second->dismiss("it asked for nothing, and its place was needed by another client");
  sessions_.erase(longest);
  return true;
}

void Server::remove_ended() {
  std::erase_if(sessions_, [](const auto& entry) { return entry.second->is_over(); });
}

}  // namespace app::control
