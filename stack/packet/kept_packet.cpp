#include "stack/packet/kept_packet.hpp"

namespace stack {

KeptPacket KeptPacket::keep(const Keeping& keeping, Packet& packet, std::size_t before) {
  KeptPacket kept;
  const std::size_t charge = PacketPool::charge_of(packet.size() + before);
  if (!keeping.teller.take(keeping.use, charge)) return kept;
  kept.teller_ = &keeping.teller;
  kept.use_ = keeping.use;
  kept.charge_ = charge;
  kept.packet_ = keeping.pool.copy(packet, before);
  if (!kept.packet_)
    kept.give_back();
  else
    packet.reset();
  return kept;
}

KeptPacket& KeptPacket::operator=(KeptPacket&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  packet_ = std::move(other.packet_);
  teller_ = other.teller_;
  use_ = other.use_;
  charge_ = std::exchange(other.charge_, 0);
  return *this;
}

Packet KeptPacket::release() {
  Packet packet = std::move(packet_);
  give_back();
  return packet;
}

void KeptPacket::give_back() {
  if (charge_ > 0) teller_->give(use_, std::exchange(charge_, 0));
}

}  // namespace stack
