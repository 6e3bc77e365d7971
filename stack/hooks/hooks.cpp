#include "stack/hooks/hooks.hpp"

namespace stack {

void Hooks::arm(Hook hook, Family family, bool on) {
  if (on)
    armed_ |= bit(hook, family);
  else
    armed_ &= ~bit(hook, family);
}

void Hooks::refuse_offload(Direction direction, Family family, bool on) {
  if (refuses_offload(direction, family) == on) return;
  refused_offloads_ ^= bit(direction, family);
  ++offload_generation_;
}

std::optional<Packet> Hooks::inspect(Packet packet, const PacketContext& context) {
  if (inspector_ == nullptr) return packet;
  const std::size_t size = packet.size();
  auto kept = inspector_->inspect(std::move(packet), context);
  // A callout that retreats and forgets to advance would make us parse a header as payload. That is the driver's bug,
  // and the inspector names it and puts the offset back; here it must hold.
  CHECK(!kept || kept->size() == size);
  return kept;
}

bool Hooks::discard(Packet packet, Drop reason, const PacketContext& context) {
  stats_.count(reason);
  return discard_observer_ == nullptr || discard_observer_->discarded(packet, reason, context);
}

void Hooks::discard(Packet packet, Drop reason) {
  stats_.count(reason);
  if (discard_observer_ != nullptr) discard_observer_->discarded_early(packet, reason);
}

}  // namespace stack
