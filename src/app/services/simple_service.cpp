#include "src/app/services/simple_service.hpp"

#include <algorithm>

namespace app::services {

bool answers_by_itself(std::uint16_t port) {
  constexpr std::array<std::uint16_t, 5> kPorts{0, 7, 13, 17, 19};  // none, echo, daytime, quote, chargen
  return std::find(kPorts.begin(), kPorts.end(), port) != kPorts.end();
}

SimpleService::SimpleService(std::string_view name, std::uint16_t port, Network& network, OwnerRef owner)
    : name_(name), port_(port), network_(network), owner_(std::move(owner)), connections_(network) {}

bool SimpleService::start(std::string& error) {
  const auto failed = [&](const char* what, stack::Error why) {
    error = std::string("service ") + std::string(name_) + ": cannot open " + what + " port " +
            std::to_string(port_) + ": " + std::string(stack::name_of(why));
    return false;
  };
  auto why = stack::Error::None;
  listener_ = network_.listen(
      port_, owner_, [this](auto stream) { on_accept(std::move(stream)); }, why);
  if (!listener_) return failed("TCP", why);
  datagrams_ = network_.open_datagrams(port_, owner_, why);
  if (!datagrams_) return failed("UDP", why);
  arrived_.resize(kMaxDatagram);
  datagrams_->set_readable_handler([this] { take_datagrams(); });
  return true;
}

void SimpleService::take_datagrams() {
  for (int i = 0; i < kDatagramsAtOnce; ++i) {
    const auto got = datagrams_->receive(arrived_);
    if (!got) return;
    reply_.clear();
    const auto payload = stack::Bytes{arrived_}.first(std::min(got->size, arrived_.size()));
    // One datagram to all is answered by none: the sender may be made up, and would hear from everybody at once.
    const bool may_answer = !got->to_group && !answers_by_itself(got->remote.port);
    const bool wanted = may_answer && on_datagram(payload, reply_);
    if (wanted && datagrams_->send_to(reply_, got->remote, got->local.address) == stack::Error::None) {
      ++answered_;
    } else {
      ++unanswered_;
    }
  }
  network_.defer([this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) take_datagrams();
  });
}

ServiceStats SimpleService::stats() const {
  return {std::string(name_),
          port_,
          connections_.size(),
          connections_.accepted_count(),
          connections_.displaced_count(),
          answered_,
          unanswered_};
}

}  // namespace app::services
