// What echo, discard, chargen and daytime have in common: a TCP port, the UDP port of the same number, a bounded set
// of connections, and a loop over arrived datagrams that is bounded and knows whom not to answer.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "src/app/services/service.hpp"

namespace app::services {

class SimpleService : public Service {
 public:
  static constexpr std::size_t kMaxDatagram = 65'535;
  static constexpr int kDatagramsAtOnce = 64;  // then others have their turn

  SimpleService(std::string_view name, std::uint16_t port, Network& network, OwnerRef owner);
  bool start(std::string& error) override;
  ServiceStats stats() const override;

 protected:
  virtual void on_accept(std::unique_ptr<ByteStream> stream) = 0;
  // Fills `reply` and returns true to answer a datagram with it.
  virtual bool on_datagram(stack::Bytes payload, std::vector<std::byte>& reply) = 0;

  ConnectionSet& connections() { return connections_; }
  Network& network() const { return network_; }

 private:
  void take_datagrams();

  std::string_view name_;
  std::uint16_t port_;
  Network& network_;
  OwnerRef owner_;
  ConnectionSet connections_;
  std::unique_ptr<ListeningPort> listener_;
  std::unique_ptr<DatagramSocket> datagrams_;
  std::vector<std::byte> arrived_;
  std::vector<std::byte> reply_;
  std::uint64_t answered_ = 0;
  std::uint64_t unanswered_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// Two such services that answer each other would never stop: nothing is sent to a port that answers by itself.
bool answers_by_itself(std::uint16_t port);

}  // namespace app::services
