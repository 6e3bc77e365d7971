// Daytime (RFC 867): the date and time in UTC as one line, over TCP and UDP.
#pragma once

#include "src/app/services/simple_service.hpp"

namespace app::services {

class DaytimeService final : public SimpleService {
 public:
  DaytimeService(std::uint16_t port, Network& network, OwnerRef owner);

 private:
  void on_accept(std::unique_ptr<ByteStream> stream) override;
  bool on_datagram(stack::Bytes payload, std::vector<std::byte>& reply) override;

  std::string line() const;
};

}  // namespace app::services
