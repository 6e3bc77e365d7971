#include "src/app/services/chargen_service.hpp"

#include <algorithm>

namespace app::services {
namespace {

class ChargenConnection final : public Connection {
 public:
  ChargenConnection(ConnectionSet& set, std::unique_ptr<ByteStream> stream, const Pattern& pattern)
      : Connection(set, std::move(stream)), pattern_(pattern) {}

  void start() override {
    on_readable();
    on_writable();
  }
  void on_readable() override {
    while (!ended()) {
      const auto got = stream().read_in_place(pattern_.size(), [](stack::Bytes) { return true; });
      if (got.error == stack::Error::WouldBlock) return;
      if (got.error != stack::Error::None || got.count == 0) return end();
    }
  }
  void on_writable() override {
    while (!ended()) {
      const auto offset = pattern_.offset(position_);
      const auto sent = stream().write(pattern_.block(), offset, pattern_.size() - offset);
      position_ += sent.count;
      if (sent.count > 0) progressed();
      if (sent.error == stack::Error::WouldBlock) return;
      if (sent.error != stack::Error::None) return end();
    }
  }

 private:
  const Pattern& pattern_;
  std::uint64_t position_ = 0;
};

}  // namespace

ChargenService::ChargenService(std::uint16_t port, Network& network, OwnerRef owner)
    : SimpleService("chargen", port, network, std::move(owner)), pattern_(Pattern::characters()) {}

void ChargenService::on_accept(std::unique_ptr<ByteStream> stream) {
  connections().add<ChargenConnection>(std::move(stream), pattern_);
}

bool ChargenService::on_datagram(stack::Bytes payload, std::vector<std::byte>& reply) {
  const auto text = pattern_.bytes(0, std::min(kMaxReply, payload.size() + kLine));
  reply.assign(text.begin(), text.end());
  return true;
}

}  // namespace app::services
