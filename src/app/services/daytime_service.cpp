#include "src/app/services/daytime_service.hpp"

#include <ctime>

namespace app::services {
namespace {

class DaytimeConnection final : public Connection {
 public:
  DaytimeConnection(ConnectionSet& set, std::unique_ptr<ByteStream> stream, std::string line)
      : Connection(set, std::move(stream)), line_(std::move(line)) {}

  void start() override {  // a line always fits an empty send buffer
    stream().finish_after_next_write();
    stream().write(std::as_bytes(std::span{line_}));
    end_after_input();
  }
  void on_readable() override { discard_input(); }
  void on_writable() override {}

 private:
  std::string line_;
};

}  // namespace

DaytimeService::DaytimeService(std::uint16_t port, Network& network, OwnerRef owner)
    : SimpleService("daytime", port, network, std::move(owner)) {}

void DaytimeService::on_accept(std::unique_ptr<ByteStream> stream) {
  connections().add<DaytimeConnection>(std::move(stream), line());
}

bool DaytimeService::on_datagram(stack::Bytes, std::vector<std::byte>& reply) {
  const auto text = line();
  const auto bytes = std::as_bytes(std::span{text});
  reply.assign(bytes.begin(), bytes.end());
  return true;
}

// As RFC 867 suggests: Tuesday, February 22, 1982 17:37:43-UTC
std::string DaytimeService::line() const {
  const std::time_t now = network().wall_clock();
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[80];
  const auto size = std::strftime(text, sizeof text, "%A, %B %d, %Y %H:%M:%S-UTC\r\n", &utc);
  return std::string(text, size);
}

}  // namespace app::services
