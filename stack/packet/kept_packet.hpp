// A packet that waits: a copy of its own, entered in the account until it is released or dropped. What was received is
// never kept in the memory that it came in, which belongs to the link, and a driver's clone is never kept at all: so
// neither can be held back by whoever makes us wait.
#pragma once

#include <cstddef>
#include <utility>

#include "stack/base/teller.hpp"
#include "stack/packet/packet_pool.hpp"

namespace stack {

// Where such copies come from and what they count against. All of it outlives them.
struct Keeping {
  PacketPool& pool;
  Teller& teller;
  Use use;
};

class KeptPacket {
 public:
  KeptPacket() = default;
  // Copies the packet with `before` pulled bytes in front of its data, and lets it go. Empty, and the packet is
  // untouched, when the account or the pool has no room.
  static KeptPacket keep(const Keeping& keeping, Packet& packet, std::size_t before = 0);
  KeptPacket(KeptPacket&& other) noexcept { *this = std::move(other); }
  KeptPacket& operator=(KeptPacket&& other) noexcept;
  ~KeptPacket() { give_back(); }

  explicit operator bool() const { return static_cast<bool>(packet_); }
  Packet& operator*() { return packet_; }
  Packet* operator->() { return &packet_; }
  const Packet* operator->() const { return &packet_; }
  std::size_t charge() const { return charge_; }
  Packet release();  // waits no more

 private:
  void give_back();
  Packet packet_;
  Teller* teller_ = nullptr;
  Use use_ = Use::InOrder;
  std::size_t charge_ = 0;
};

}  // namespace stack
