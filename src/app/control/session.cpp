#include "src/app/control/session.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "src/app/output/trace_format.hpp"

namespace app::control {
namespace {

constexpr std::chrono::milliseconds kLookForHangup{100};

std::string text_of(const Json& request, const char* key) {
  const auto found = request.find(key);
  return found != request.end() && found->is_string() ? found->get<std::string>() : "";
}

std::uint64_t number_of(const Json& request, const char* key) {
  const auto found = request.find(key);
  return found != request.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

bool is_gone(int socket) {
  pollfd look{socket, POLLRDHUP, 0};
  return poll(&look, 1, 0) > 0 && (look.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

// Unlike is_gone(), false when the client has only finished sending.
bool is_closed(int socket) {
  pollfd look{socket, 0, 0};
  return poll(&look, 1, 0) > 0 && (look.revents & (POLLHUP | POLLERR)) != 0;
}

// Sends records until `count` were sent (0: no end) or the client is gone.
void stream_trace(int socket, Backend& backend, const Json& request) {
  const auto format = output::trace_format_named(text_of(request, "format"));
  const auto named = text_of(request, "layer");
  const auto layer = named.empty() ? "" : backend.layer_name(named);
  if (!format) {
    send_message(socket, to_json(Reply::failure("the trace formats are line, dx and json")));
    return;
  }
  if (!named.empty() && layer.empty()) {
    send_message(socket, to_json(Reply::failure("'" + named +
                                                "' is no layer; write for example FWPS_LAYER_INBOUND_TRANSPORT_V4")));
    return;
  }
  const auto listener = backend.trace().listen(layer);
  auto left = number_of(request, "count");
  const bool bounded = left > 0;
  bool goes_on = send_message(socket, to_json(Reply::success()));
  while (goes_on && !is_gone(socket)) {
    const auto batch = listener->wait(kLookForHangup);
    std::string text;
    for (const auto& entry : batch.entries) {
      text += output::format(entry, *format);
      if (bounded && --left == 0) break;
    }
    const bool ends = bounded && left == 0;
    if (batch.dropped > 0 && !ends) text += output::format_dropped(batch.dropped, *format);
    goes_on = (text.empty() || send_text(socket, text)) && !ends;
  }
  backend.trace().leave(listener);
}

bool send_chunk(int socket, std::uint32_t length, stack::Bytes bytes) {
  std::array<std::byte, 4> header;
  stack::store_be32(header, 0, length);
  return send_all(socket, header) && send_all(socket, bytes);
}

// What comes from the peer, in chunks, until its end.
void send_received(int socket, Relay& relay) {
  std::vector<std::byte> bytes(kChunkBytes);
  for (;;) {
    const auto got = relay.take(bytes);
    if (got.count > 0) {
      if (send_chunk(socket, static_cast<std::uint32_t>(got.count), stack::Bytes{bytes}.first(got.count))) continue;
      shutdown(socket, SHUT_RDWR);
      return;
    }
    if (got.error == stack::Error::None) {
      send_chunk(socket, 0, {});
      return;
    }
    const std::string why{stack::name_of(got.error)};
    std::array<std::byte, 4> size;
    stack::store_be32(size, 0, static_cast<std::uint32_t>(why.size()));
    send_chunk(socket, kFailure, size);
    send_text(socket, why);
    shutdown(socket, SHUT_RD);  // nothing more can be sent to the peer
    return;
  }
}

void relay_connection(int socket, MessageReader& reader, Backend& backend, const Json& request) {
  const auto address = stack::IpAddress::parse(text_of(request, "address"));
  const auto port = number_of(request, "port");
  if (!address || port == 0 || port > 65535) {
    send_message(socket, to_json(Reply::failure("connect wants an IP address and a port from 1 to 65535")));
    return;
  }
  const auto relay = backend.connect({*address, static_cast<std::uint16_t>(port)});
  if (!relay) {
    send_message(socket, to_json(Reply::failure("the daemon is ending")));
    return;
  }
  stack::TcpStream::Info info;
  if (const auto error = relay->wait_until_connected(info); error != stack::Error::None) {
    send_message(socket, to_json(Reply::failure("connection to " + request["address"].get<std::string>() + " port " +
                                                std::to_string(port) + ": " + std::string(stack::name_of(error)))));
    relay->abandon();
    return;
  }
  send_message(socket,
               to_json(Reply::success({{"local", info.local.to_string()}, {"remote", info.remote.to_string()}})));
  std::atomic<bool> received{false};
  std::thread receiver([&] {
    send_received(socket, *relay);
    received = true;
  });
  std::vector<std::byte> bytes(kChunkBytes);
  for (;;) {
    const auto got = reader.read(bytes);
    if (!got || *got == 0) break;
    if (!relay->put(stack::Bytes{bytes}.first(*got))) break;
  }
  relay->finish();
  while (!received && !is_closed(socket)) std::this_thread::sleep_for(kLookForHangup);
  relay->abandon();
  receiver.join();
}

}  // namespace

void serve(int socket, Backend& backend) {
  MessageReader reader{socket, kMaxRequestBytes};
  for (;;) {
    Json request;
    const auto status = reader.next(request);
    if (status == MessageReader::Status::End) return;
    if (status != MessageReader::Status::Message || !request.is_object()) {
      send_message(socket, to_json(Reply::failure(status == MessageReader::Status::TooLong
                                                      ? "a request has at most 65536 bytes"
                                                      : "a request is one JSON object on one line")));
      return;
    }
    const auto command = text_of(request, "command");
    if (command == "trace") return stream_trace(socket, backend, request);
    if (command == "connect") return relay_connection(socket, reader, backend, request);
    if (!send_message(socket, to_json(backend.handle(request)))) return;
  }
}

}  // namespace app::control
