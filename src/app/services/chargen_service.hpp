// Character generator (RFC 864). TCP: lines without end, as fast as they are taken; input is thrown away. UDP: an
// answer of at most kMaxReply bytes, and never more than a line longer than the request, so that it amplifies
// nothing.
#pragma once

#include "src/app/services/pattern.hpp"
#include "src/app/services/simple_service.hpp"

namespace app::services {

class ChargenService final : public SimpleService {
 public:
  ChargenService(std::uint16_t port, Network& network, OwnerRef owner);

 private:
  void on_accept(std::unique_ptr<ByteStream> stream) override;
  bool on_datagram(stack::Bytes payload, std::vector<std::byte>& reply) override;

  static constexpr std::size_t kMaxReply = 512;
  static constexpr std::size_t kLine = 74;
  Pattern pattern_;
};

}  // namespace app::services
