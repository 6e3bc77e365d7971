// Packets that wait: copies that hold nothing of what they were made of, entered in the account while they wait.
#include "stack/packet/kept_packet.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace stack {
namespace {

struct Kept : ::testing::Test {
  PacketPool link, pool;
  std::shared_ptr<Account> account = std::make_shared<Account>(Account::kSmallestLimit);
  Teller teller{account};
  Keeping keeping{pool, teller, Use::Fragments};
  Packet packet_of(std::size_t size) {
    Packet packet = link.allocate(size);
    auto bytes = packet.make_private(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i);
    packet.meta().hop_limit = 9;
    packet.set_checksum({.transport_verified = true});
    return packet;
  }
};

TEST_F(Kept, HoldsNothingOfTheOriginal) {
  for (const std::size_t size : {std::size_t{100}, std::size_t{50'000}}) {
    Packet packet = packet_of(size);
    packet.pull(20);
    KeptPacket kept = KeptPacket::keep(keeping, packet, 20);
    EXPECT_FALSE(packet);
    EXPECT_EQ(link.in_use(), 0u);
    EXPECT_EQ(account->held(Use::Fragments), PacketPool::charge_of(size));
    Packet released = kept.release();
    EXPECT_EQ(account->held(), 0u);
    EXPECT_EQ(released.size(), size - 20);
    EXPECT_EQ(released.meta().hop_limit, 9);
    EXPECT_TRUE(released.checksum().transport_verified);
    released.restore(20);
    std::vector<std::byte> bytes(size);
    EXPECT_EQ(released.copy_out(0, bytes), size);
    EXPECT_EQ(bytes[0], std::byte{0});
    EXPECT_EQ(bytes[99], std::byte{99});
    EXPECT_FALSE(released.push(14).empty()) << "room for a link header";
  }
}
TEST_F(Kept, IsRefusedWithoutRoom) {
  Packet packet = packet_of(100);
  const std::size_t rest = account->most(Use::Fragments) - 200;
  ASSERT_TRUE(account->take(Use::Fragments, rest));
  EXPECT_FALSE(KeptPacket::keep(keeping, packet));
  EXPECT_EQ(packet.size(), 100u) << "it stays the caller's";
  account->give(Use::Fragments, rest);
  KeptPacket first = KeptPacket::keep(keeping, packet);
  KeptPacket second = std::move(first);
  EXPECT_FALSE(first);
  EXPECT_EQ(account->held(), second.charge());
  second = KeptPacket{};
  EXPECT_EQ(account->held(), 0u);
}

}  // namespace
}  // namespace stack
