#include "src/app/services/http_service.hpp"

#include "src/app/services/http_connection.hpp"

namespace app::services {

HttpService::HttpService(std::uint16_t port, Network& network, OwnerRef owner)
    : port_(port),
      network_(network),
      owner_(std::move(owner)),
      pattern_(Pattern::counting()),
      scratch_(HttpConnection::kReadSize),
      connections_(network) {}

bool HttpService::start(std::string& error) {
  auto why = stack::Error::None;
  listener_ = network_.listen(
      port_, owner_,
      [this](std::unique_ptr<ByteStream> stream) { connections_.add<HttpConnection>(std::move(stream), *this); },
      why);
  if (listener_) return true;
  error = "service http: cannot open TCP port " + std::to_string(port_) + ": " + std::string(stack::name_of(why));
  return false;
}

ServiceStats HttpService::stats() const {
  return {"http",    port_,     connections_.size(), connections_.accepted_count(), connections_.displaced_count(),
          requests_, malformed_};
}

}  // namespace app::services
