// Messages between the supervisor of `wfptap test` and the process that runs the stack: JSON objects over a pair of
// SOCK_SEQPACKET sockets, one packet each.
//
//   stack -> supervisor   ready {address, address6, control}     everything is up: COMMAND may start
//                         unloaded                               drivers are gone: what COMMAND left running may be ended
//                         failed {text}                          it could not be set up; the process is about to end
//                         fault {text}                           a bug check; the process is about to end
//                         known {text, last}                     after a fault: a piece of the report as it stands, as JSON
//                         done {reason, code}                    the report is written; the process is about to end
//   supervisor -> stack   command_ended {reason, code, signal}
//                         leftovers_ended
//                         stop {signal}                          before COMMAND has started
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "tap/file_descriptor.hpp"

namespace app {

class Channel {
 public:
  static constexpr std::size_t kMaxMessage = 64 * 1024;

  Channel() = default;
  explicit Channel(int fd) : fd_(fd) {}  // takes it over
  static bool make_pair(Channel& one, Channel& other);

  int fd() const { return fd_.get(); }
  bool send(const nlohmann::json& message) const;  // false: the other side is gone
  // The next message; nothing when the other side is gone. Waits for it.
  std::optional<nlohmann::json> receive() const;
  bool keep_on_exec(bool keep) const;

 private:
  tap::FileDescriptor fd_;
};

// The string under "type".
std::string type_of(const nlohmann::json& message);

}  // namespace app
