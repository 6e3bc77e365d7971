// Memory of a link's frames: what drivers may keep, and who is let in when they keep too much.
#include "src/node/frame_memory.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace node {
namespace {

using stack::Account;
using stack::Medium;
using stack::Use;
using Frame = std::vector<std::byte>;

Frame ethernet(std::uint16_t type, Frame rest) {
  Frame frame(14);
  stack::store_be16(frame, 12, type);
  frame.insert(frame.end(), rest.begin(), rest.end());
  return frame;
}
Frame ipv4(std::uint8_t protocol, std::uint8_t tcp_flags = 0) {
  Frame packet(60);
  stack::store_u8(packet, 0, 0x45);
  stack::store_u8(packet, 9, protocol);
  stack::store_u8(packet, 33, tcp_flags);
  return packet;
}
Frame ipv6(std::uint8_t next, std::uint8_t type_or_flags = 0) {
  Frame packet(80);
  stack::store_u8(packet, 0, 0x60);
  stack::store_u8(packet, 6, next);
  stack::store_u8(packet, next == 6 ? 53 : 40, type_or_flags);
  return packet;
}
FrameClass classified(const Frame& frame) { return classify_frame(frame, Medium::Ethernet); }

TEST(FrameClass, SaysWhatAHostMustStillHear) {
  EXPECT_EQ(classified(ethernet(0x0806, Frame(28))), FrameClass::Resolution);
  EXPECT_EQ(classified(ethernet(0x86dd, ipv6(58, 135))), FrameClass::Resolution);
  EXPECT_EQ(classified(ethernet(0x86dd, ipv6(58, 137))), FrameClass::Resolution);
  EXPECT_EQ(classified(ethernet(0x86dd, ipv6(58, 128))), FrameClass::Control);
  EXPECT_EQ(classified(ethernet(0x0800, ipv4(1))), FrameClass::Control);
  EXPECT_EQ(classified(ethernet(0x0800, ipv4(6, 0x02))), FrameClass::Control);
  EXPECT_EQ(classified(ethernet(0x86dd, ipv6(6, 0x02))), FrameClass::Control);
  EXPECT_EQ(classified(ethernet(0x0800, ipv4(6, 0x10))), FrameClass::Ordinary);
  EXPECT_EQ(classified(ethernet(0x86dd, ipv6(6, 0x10))), FrameClass::Ordinary);
  EXPECT_EQ(classified(ethernet(0x0800, ipv4(17))), FrameClass::Ordinary);
  EXPECT_EQ(classify_frame(ipv4(1), Medium::RawIp), FrameClass::Control);
  EXPECT_EQ(classify_frame(ipv6(58, 136), Medium::RawIp), FrameClass::Resolution);
}
TEST(FrameClass, TakesWhatItCannotReadForOrdinary) {
  for (const Frame& whole :
       {ethernet(0x0800, ipv4(6, 2)), ethernet(0x86dd, ipv6(6, 2)), ethernet(0x86dd, ipv6(58, 136))})
    for (std::size_t size = 0; size < 48; ++size)
      EXPECT_NE(classify_frame(stack::Bytes{whole}.first(size), Medium::Ethernet), FrameClass::Resolution);
  EXPECT_EQ(classify_frame({}, Medium::RawIp), FrameClass::Ordinary);
  Frame options = ipv4(6, 2);
  stack::store_u8(options, 0, 0x4f);
  options.resize(40);
  EXPECT_EQ(classify_frame(options, Medium::RawIp), FrameClass::Ordinary);
}

struct Kept : ::testing::Test {
  std::shared_ptr<Account> account = std::make_shared<Account>(std::size_t{16} << 20);
  FrameMemory memory{account, 66'000, 50, 0};
  Frame ordinary = ethernet(0x0800, ipv4(17)), ping = ethernet(0x0800, ipv4(1)), arp = ethernet(0x0806, Frame(28));
  bool admits(const Frame& frame) { return memory.admits(frame, Medium::Ethernet); }
};

// A driver that keeps everything: ordinary frames stop first, address resolution last.
TEST_F(Kept, DriversCannotMakeTheHostDeaf) {
  std::vector<stack::Packet> kept;
  while (admits(ordinary)) kept.push_back(memory.copy(ordinary));
  EXPECT_NEAR(static_cast<double>(kept.size() * FrameMemory::kFrameCharge),
              static_cast<double>(account->most(Use::Drivers)), 2.0 * FrameMemory::kFrameCharge);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(admits(ping));
  while (admits(ping)) ASSERT_TRUE(kept.emplace_back(memory.copy(ping)));
  while (admits(arp))
    ASSERT_TRUE(kept.emplace_back(memory.copy(arp))) << "the pool has room for all that is admitted";
  memory.measure(0);
  EXPECT_EQ(account->held(Use::Drivers), kept.size() * FrameMemory::kFrameCharge);
  EXPECT_LE(account->held(Use::Drivers),
            account->most(Use::Drivers) + account->reserve() + FrameMemory::kFrameCharge);
  EXPECT_GE(account->level(Use::Drivers).refused, 3u);
  kept.clear();
  EXPECT_TRUE(admits(ordinary));
  memory.measure(0);
  EXPECT_EQ(account->held(Use::Drivers), 0u);
}
TEST_F(Kept, LargeFramesCountWithTheirBuffers) {
  std::vector<stack::BufferRef> posted;
  for (std::size_t i = 0; i < FrameMemory::kPostedBuffers; ++i) posted.push_back(memory.take_buffer());
  std::vector<stack::Packet> kept;
  kept.push_back(memory.adopt(memory.take_buffer(), 60'000));
  kept.push_back(memory.copy(Frame(50'000)));
  EXPECT_EQ(kept.back().size(), 50'000u);
  memory.measure(0);
  EXPECT_NEAR(static_cast<double>(account->held(Use::Drivers)), 66'000 + 50'000 + 2.0 * FrameMemory::kFrameCharge,
              200);
  memory.measure(std::size_t{1} << 30);
  EXPECT_EQ(account->held(Use::Drivers), 0u) << "an impairment's frames are nobody's";
}

}  // namespace
}  // namespace node
