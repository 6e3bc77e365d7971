// Echo (RFC 862): what comes in goes out again, over TCP and UDP.
#pragma once

#include "src/app/services/simple_service.hpp"

namespace app::services {

class EchoService final : public SimpleService {
 public:
  EchoService(std::uint16_t port, Network& network, OwnerRef owner);

 private:
  void on_accept(std::unique_ptr<ByteStream> stream) override;
  bool on_datagram(stack::Bytes payload, std::vector<std::byte>& reply) override;

  std::vector<std::byte> scratch_;  // shared by its connections, which keep only what could not be written
};

}  // namespace app::services
