#include "src/app/control/connect_stream.hpp"

#include <array>

namespace app::control {
namespace {

constexpr std::size_t kPieceBytes = 64 * 1024;

}  // namespace

bool ConnectStream::pump(ClientSocket& client) {
  if (!announced_ && !announce(client)) return false;
  if (!announced_) return true;
  send_to_peer(client);
  receive_from_peer(client);
  return !broken_ && !(received_ && sent_ && relay_->is_sent());
}

bool ConnectStream::announce(ClientSocket& client) {
  stack::TcpStream::Info info;
  const auto outcome = relay_->outcome(info);
  if (!outcome) return true;
  announced_ = *outcome == stack::Error::None;
  if (announced_)
    client.send_message(
        to_json(Reply::success({{"local", info.local.to_string()}, {"remote", info.remote.to_string()}})));
  else
    client.send_message(
        to_json(Reply::failure("connection to " + peer_ + ": " + std::string(stack::name_of(*outcome)))));
  return announced_;
}

void ConnectStream::send_to_peer(ClientSocket& client) {
  if (!sent_ && !client.input().is_empty()) {
    const auto put = relay_->put(client.input().front());
    client.input().drop(put.count);
    if (put.error != stack::Error::None) sent_ = true;  // why, the receiving side says
  }
  if (sent_ || !client.has_ended() || !client.input().is_empty()) return;
  relay_->finish();
  sent_ = true;
}

void ConnectStream::receive_from_peer(ClientSocket& client) {
  std::array<std::byte, kPieceBytes> piece;
  while (!received_ && client.has_room()) {
    const auto got = relay_->take(piece);
    if (got.error == stack::Error::WouldBlock) return;
    if (got.error != stack::Error::None) {
      client.send_failure(stack::name_of(got.error));
      received_ = broken_ = true;
    } else {
      client.send_chunk(stack::Bytes{piece}.first(got.count));
      received_ = got.count == 0;
    }
  }
}

void ConnectStream::say_goodbye(ClientSocket& client, std::string_view sentence) {
  if (!announced_)
    client.send_message(to_json(Reply::failure(std::string(sentence))));
  else if (!received_)
    client.send_failure(sentence);
  received_ = true;
}

}  // namespace app::control
