// The daemon's end of the control socket: one thread that serves all clients and waits for none, nor for the stack. A
// Unix stream socket of mode 0600 that admits its owner (and root) only, checked again by SO_PEERCRED. Bounds:
// kMaxClients, kMaxRequestBytes. For a client too many the one that has been idle longest is sent away; when all are
// busy, it is told so.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "src/app/control/listener.hpp"
#include "src/app/control/session.hpp"
#include "src/app/control/socket_file.hpp"

namespace app::control {

inline constexpr std::size_t kMaxClients = 64;

class Server {
 public:
  // Null on failure, with `error` set. A socket that nobody listens on any more is replaced.
  static std::unique_ptr<Server> open(const std::string& path, Backend& backend, std::string& error);
  ~Server();  // stop(), and removes the socket

  // Begins to answer; a program gives up its privileges before it has threads. Empty, or what failed.
  std::string start();
  // Who may connect besides root; the effective user at open() unless changed (--user): the socket file is given to
  // it. Empty, or what failed.
  std::string give_to(uid_t owner);
  void stop();  // ends every conversation, telling each that the daemon ends
  const std::string& path() const { return file_->path(); }

 private:
  using Clock = Session::Clock;
  using Sessions = std::map<SessionId, std::unique_ptr<Session>>;

  Server(std::unique_ptr<SocketFile> file, Backend& backend);
  // The control thread's, all of it.
  void run();
  void wait_and_serve();
  Clock::time_point next_deadline() const;
  void read_mail();
  void accept_clients();
  void admit(tap::FileDescriptor socket);
  bool is_admitted(int socket) const;
  bool make_room();
  void remove_ended();

  const std::unique_ptr<SocketFile> file_;
  Listener listener_;
  Backend& backend_;
  const std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  uid_t owner_;
  Sessions sessions_;
  SessionId last_id_ = 0;
  bool was_out_of_descriptors_ = false;  // and it was said
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace app::control
