#include "src/app/daemon/net_events.hpp"

namespace app {

bool NetEvents::discarded(const stack::Packet& packet, stack::Drop reason, const stack::PacketContext& context) {
  Event event{clock_(), reason, true, context};
  event.context.endpoint = {};
  keep(std::move(event));
  return behind_ == nullptr || behind_->discarded(packet, reason, context);
}

void NetEvents::discarded_early(const stack::Packet& packet, stack::Drop reason) {
  keep({clock_(), reason, false, {}});
  if (behind_ != nullptr) behind_->discarded_early(packet, reason);
}

void NetEvents::keep(Event event) {
  if (events_.size() == kKept) {
    events_.pop_front();
    ++forgotten_;
  }
  events_.push_back(std::move(event));
}

}  // namespace app
