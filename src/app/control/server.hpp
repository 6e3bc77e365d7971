// The daemon's end of the control socket. A Unix stream socket of mode 0600 that admits its owner (and root) only,
// checked again by SO_PEERCRED; each client has a thread of its own, so that a slow one waits alone, and the stack's
// thread never waits for any. Bounds: kMaxClients, kMaxRequestBytes; a client too many is told so and sent away.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "src/app/control/message.hpp"
#include "src/app/control/relay.hpp"
#include "src/app/control/trace_hub.hpp"
#include "tap/file_descriptor.hpp"

namespace app::control {

inline constexpr std::size_t kMaxClients = 64;

// What the server asks of the daemon. Called on clients' threads, several at a time; may block.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual Reply handle(const Json& request) = 0;  // everything but trace and connect
  virtual TraceHub& trace() = 0;
  // The layer that a person may have named with its prefix, without it; empty: there is no such layer.
  virtual std::string layer_name(const std::string& name) = 0;
  // Begins to connect. Null: the daemon is ending.
  virtual std::shared_ptr<Relay> connect(const stack::SocketAddress& remote) = 0;
};

class Server {
 public:
  // Null on failure, with `error` set. A socket that nobody listens on any more is replaced.
  static std::unique_ptr<Server> open(const std::string& path, Backend& backend, std::string& error);
  ~Server();  // stop(), and removes the socket

  void start();  // begins to answer; a program gives up its privileges before it has threads
  // Who may connect besides root; the effective user at open() unless changed (--user): the socket file is given to
  // it.
  bool give_to(uid_t owner);
  void stop();  // ends every conversation
  const std::string& path() const { return path_; }

 private:
  struct Client {
    tap::FileDescriptor socket;
    std::thread thread;
    std::atomic<bool> ended{false};
  };
  Server(std::string path, tap::FileDescriptor listener, Backend& backend);
  void accept_clients();
  void admit(tap::FileDescriptor socket);
  bool is_admitted(int socket) const;
  void remove_ended();

  std::string path_;
  tap::FileDescriptor listener_;
  Backend& backend_;
  std::atomic<uid_t> owner_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;  // guards clients_
  std::list<Client> clients_;
  std::thread thread_;
};

}  // namespace app::control
