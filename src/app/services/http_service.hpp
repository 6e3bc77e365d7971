// The http service: / a short page, /bytes/N N bytes, /echo the request's body, /status/N that status, /slow/N N
// bytes over a second. HTTP/1.1 with keep-alive and bounded pipelining (one request is read at a time; others wait in
// the receive buffer), HTTP/1.0, HEAD. Large bodies are shared blocks that are never copied, at the pace at which the
// peer takes them.
#pragma once

#include "src/app/services/pattern.hpp"
#include "src/app/services/service.hpp"

namespace app::services {

class HttpService final : public Service {
 public:
  // Request bodies of all connections together; beyond that, 503.
  static constexpr std::size_t kMaxBodiesTogether = 128 << 20;

  HttpService(std::uint16_t port, Network& network, OwnerRef owner);
  bool start(std::string& error) override;
  ServiceStats stats() const override;

 private:
  friend class HttpConnection;
  std::uint16_t port_;
  Network& network_;
  OwnerRef owner_;
  Pattern pattern_;
  std::vector<std::byte> scratch_;
  std::size_t body_bytes_ = 0;
  std::uint64_t requests_ = 0;
  std::uint64_t malformed_ = 0;
  ConnectionSet connections_;  // after what its members use
  std::unique_ptr<ListeningPort> listener_;
};

}  // namespace app::services
