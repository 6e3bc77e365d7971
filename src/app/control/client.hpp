// The client's end of the control socket, for `wfptap show`, `filter`, `driver`, `trace` and `connect`.
//
// Exit codes: 0; 1 the daemon refused, or the connection failed; 2 there is no daemon to ask.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "src/app/cli/options.hpp"
#include "src/app/control/message.hpp"
#include "tap/file_descriptor.hpp"

namespace app::control {

inline constexpr int kExitRefused = 1;

class Client {
 public:
  static constexpr std::chrono::milliseconds kConnectLimit{1500};  // while the daemon takes no client

  // Empty on failure, with `error` saying what to do; after kConnectLimit at the latest.
  static std::optional<Client> open(const std::string& path, std::string& error);

  Reply ask(const Json& request) { return send(request), receive(); }
  void send(const Json& request);
  bool has_answer(std::chrono::milliseconds within) const;  // or the daemon has gone
  Reply receive();
  int socket() const { return socket_.get(); }
  MessageReader& reader() { return reader_; }

 private:
  explicit Client(tap::FileDescriptor socket) : socket_(std::move(socket)), reader_(socket_.get(), kMaxReplyBytes) {}
  tap::FileDescriptor socket_;
  MessageReader reader_;
};

// Runs one of the client commands; returns the exit code. Standard input and output are the user's.
int run_client(Command command, const ClientOptions& options);

Json request_of(Command command, const ClientOptions& options);

}  // namespace app::control
