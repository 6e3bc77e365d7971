// Discard (RFC 863): takes everything and answers nothing, over TCP and UDP.
#pragma once

#include "src/app/services/simple_service.hpp"

namespace app::services {

class DiscardService final : public SimpleService {
 public:
  DiscardService(std::uint16_t port, Network& network, OwnerRef owner);

 private:
  void on_accept(std::unique_ptr<ByteStream> stream) override;
  bool on_datagram(stack::Bytes payload, std::vector<std::byte>& reply) override;
};

}  // namespace app::services
