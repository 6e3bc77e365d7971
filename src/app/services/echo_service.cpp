#include "src/app/services/echo_service.hpp"

namespace app::services {
namespace {

constexpr std::size_t kScratch = 64 * 1024;

class EchoConnection final : public Connection {
 public:
  EchoConnection(ConnectionSet& set, std::unique_ptr<ByteStream> stream, std::vector<std::byte>& scratch)
      : Connection(set, std::move(stream)), scratch_(scratch) {}

  void start() override {
    stream().set_no_delay(true);
    pump();
  }
  void on_readable() override { pump(); }
  void on_writable() override { pump(); }

 private:
  // Reads only when everything read before has been written, so that the peer's window closes with ours.
  void pump() {
    while (!ended() && write_waiting()) {
      const auto got = stream().read(scratch_);
      if (got.error == stack::Error::WouldBlock) return;
      if (got.error != stack::Error::None || got.count == 0) return end();
      progressed();
      const auto bytes = stack::Bytes{scratch_}.first(got.count);
      const auto sent = stream().write(bytes);
      if (sent.error != stack::Error::None && sent.error != stack::Error::WouldBlock) return end();
      const auto rest = bytes.subspan(sent.count);
      waiting_.assign(rest.begin(), rest.end());
      written_ = 0;
    }
  }

  bool write_waiting() {
    while (written_ < waiting_.size()) {
      const auto sent = stream().write(stack::Bytes{waiting_}.subspan(written_));
      written_ += sent.count;
      if (sent.count > 0) progressed();
      if (sent.error == stack::Error::WouldBlock) return false;
      if (sent.error != stack::Error::None) return end(), false;
    }
    if (!waiting_.empty()) std::vector<std::byte>{}.swap(waiting_);
    return true;
  }

  std::vector<std::byte>& scratch_;
  std::vector<std::byte> waiting_;  // at most kScratch
  std::size_t written_ = 0;
};

}  // namespace

EchoService::EchoService(std::uint16_t port, Network& network, OwnerRef owner)
    : SimpleService("echo", port, network, std::move(owner)), scratch_(kScratch) {}

void EchoService::on_accept(std::unique_ptr<ByteStream> stream) {
  connections().add<EchoConnection>(std::move(stream), scratch_);
}

bool EchoService::on_datagram(stack::Bytes payload, std::vector<std::byte>& reply) {
  reply.assign(payload.begin(), payload.end());
  return true;
}

}  // namespace app::services
