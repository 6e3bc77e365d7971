#include "src/app/services/discard_service.hpp"

namespace app::services {
namespace {

constexpr std::size_t kAtOnce = 4 << 20;

class DiscardConnection final : public Connection {
 public:
  using Connection::Connection;

  void start() override { on_readable(); }
  void on_readable() override {
    while (!ended()) {
      const auto got = stream().read_in_place(kAtOnce, [](stack::Bytes) { return true; });
      if (got.error == stack::Error::WouldBlock) return;
      if (got.error != stack::Error::None || got.count == 0) return end();
      progressed();
    }
  }
  void on_writable() override {}
};

}  // namespace

DiscardService::DiscardService(std::uint16_t port, Network& network, OwnerRef owner)
    : SimpleService("discard", port, network, std::move(owner)) {}

void DiscardService::on_accept(std::unique_ptr<ByteStream> stream) {
  connections().add<DiscardConnection>(std::move(stream));
}

bool DiscardService::on_datagram(stack::Bytes, std::vector<std::byte>&) { return false; }

}  // namespace app::services
