// `wfptap connect`: a client's bytes and those of a TCP connection of the stack. The reply is sent when the connection
// stands or has failed.
#pragma once

#include "src/app/control/relay.hpp"
#include "src/app/control/stream.hpp"

namespace app::control {

class ConnectStream final : public Stream {
 public:
  ConnectStream(std::shared_ptr<Relay> relay, std::string peer) : relay_(std::move(relay)), peer_(std::move(peer)) {}
  ~ConnectStream() override { relay_->abandon(); }

  bool pump(ClientSocket& client) override;
  bool reads_input() const override { return true; }
  void say_goodbye(ClientSocket& client, std::string_view sentence) override;

 private:
  bool announce(ClientSocket& client);  // false: there will be no connection
  void send_to_peer(ClientSocket& client);
  void receive_from_peer(ClientSocket& client);

  const std::shared_ptr<Relay> relay_;
  const std::string peer_;
  bool announced_ = false;
  bool sent_ = false;      // nothing more goes to the peer
  bool received_ = false;  // the client has been told the end, or what broke the connection
  bool broken_ = false;
};

}  // namespace app::control
