// The control protocol: one JSON object a line, a request and a reply.
//
//   {"command": "show", "topic": "flows"}          {"ok": true, "result": {...}}
//   {"command": "driver unload", "driver": "x"}    {"ok": false, "error": "no driver is called 'x'; ..."}
//
// After the reply to "trace" the daemon sends text in the wanted format until the client goes. After the reply to
// "connect" the client's bytes go to the stack's connection as they are, and the daemon's come in chunks: a
// big-endian 32-bit length and the bytes; length 0 is the end of the stream, length kFailure begins the sentence that
// says why it broke.
//
// The descriptors of the functions here are blocking and belong to the caller; the daemon's end of a conversation is
// client_socket.hpp, which never waits. Each end bounds what it reads; SIGPIPE is never raised.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "stack/base/bytes.hpp"

namespace app::control {

using Json = nlohmann::ordered_json;

inline constexpr std::size_t kMaxRequestBytes = 64 * 1024;
inline constexpr std::size_t kMaxReplyBytes = 64 << 20;
inline constexpr std::size_t kChunkBytes = 256 * 1024;
inline constexpr std::uint32_t kFailure = 0xffff'ffff;
inline constexpr std::size_t kMaxFailureText = 512;

struct Reply {
  bool ok = false;
  Json result;        // ok
  std::string error;  // not ok: a sentence

  static Reply success(Json result = Json::object()) { return {true, std::move(result), {}}; }
  static Reply failure(std::string sentence) { return {false, {}, std::move(sentence)}; }
};

Json to_json(const Reply& reply);
Reply reply_from(const Json& json);

std::string message_line(const Json& message);  // with its newline

bool send_all(int fd, stack::Bytes bytes);  // false: the other end is gone
bool send_text(int fd, std::string_view text);
bool send_message(int fd, const Json& message);

// Reads lines; what comes behind a line stays for read().
class MessageReader {
 public:
  enum class Status { Message, End, TooLong, Malformed };

  MessageReader(int fd, std::size_t limit) : fd_(fd), limit_(limit) {}
  Status next(Json& message);
  // Bytes behind the last line, then from the descriptor. 0: the end; nothing: the other end is gone.
  std::optional<std::size_t> read(stack::MutableBytes into);
  bool read_exactly(stack::MutableBytes into);

 private:
  int fd_;
  std::size_t limit_;
  std::string waiting_;
};

}  // namespace app::control
