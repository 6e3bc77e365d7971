#include "src/app/control/client_streams.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <thread>
#include <vector>

#include "src/app/cli/exit_status.hpp"

namespace app::control {
namespace {

bool write_standard_output(stack::Bytes bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return true;
}

void send_standard_input(int socket) {
  std::vector<std::byte> bytes(kChunkBytes);
  for (;;) {
    const auto got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || !send_all(socket, stack::Bytes{bytes}.first(static_cast<std::size_t>(got)))) break;
  }
  shutdown(socket, SHUT_WR);
}

std::string read_failure(MessageReader& reader) {
  std::vector<std::byte> size(4);
  if (!reader.read_exactly(size)) return "unknown";
  std::string why(std::min<std::size_t>(stack::load_be32(size, 0), kMaxFailureText), '\0');
  return reader.read_exactly(std::as_writable_bytes(std::span{why})) ? why : "unknown";
}

// Returns the exit code once the stream from the peer has ended.
int receive(MessageReader& reader) {
  std::vector<std::byte> header(4), bytes(kChunkBytes);
  for (;;) {
    if (!reader.read_exactly(header)) {
      std::fprintf(stderr, "wfptap: the daemon went away in the middle of the connection\n");
      return kExitRefused;
    }
    const auto length = stack::load_be32(header, 0);
    if (length == 0) return 0;
    if (length > bytes.size()) {
      const auto why = length == kFailure ? read_failure(reader) : "the daemon's bytes make no sense";
      std::fprintf(stderr, "wfptap: connection broken: %s\n", why.c_str());
      return kExitRefused;
    }
    const auto chunk = stack::MutableBytes{bytes}.first(length);
    if (!reader.read_exactly(chunk)) continue;  // the next header tells
    if (!write_standard_output(chunk)) return kExitRefused;
  }
}

}  // namespace

int copy_trace(Client& client) {
  std::vector<std::byte> bytes(kChunkBytes);
  for (;;) {
    const auto got = client.reader().read(bytes);
    if (!got || *got == 0) return 0;
    if (!write_standard_output(stack::Bytes{bytes}.first(*got))) return 0;  // as with `| head`
  }
}

int relay_standard_streams(Client& client) {
  std::thread sender;
  try {
    sender = std::thread([socket = client.socket()] { send_standard_input(socket); });
  } catch (const std::system_error& failure) {
    std::fprintf(stderr, "wfptap: cannot start a thread: %s\n", failure.what());
    return kExitSetup;
  }
  const int code = receive(client.reader());
  if (code != 0 || isatty(STDIN_FILENO) != 0) {
    std::fflush(nullptr);
    _exit(code);  // the sender may wait for input for ever
  }
  sender.join();
  std::array<std::byte, 1> nothing;
  client.reader().read(
      nothing);  // the daemon hangs up when the stack has all that was sent; going earlier cuts it off
  return code;
}

}  // namespace app::control
