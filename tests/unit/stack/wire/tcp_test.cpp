#include "stack/wire/tcp.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace stack::wire {
namespace {

const TcpFields kSyn{
    .src_port = 34562,
    .dst_port = 80,
    .seq = Seq{0xdeadbeef},
    .ack_number = Seq{7},
    .flags = tcp_flag::kSyn | tcp_flag::kAck,
    .window = 64240,
    .checksum = 0x1234,
    .urgent_pointer = 5,
    .options = {.mss = 1460, .window_scale = 7, .sack_permitted = true, .timestamps = Timestamps{1, 2}}};

std::vector<std::byte> emitted(const TcpFields& fields) {
  std::vector<std::byte> bytes(fields.size());
  fields.emit(bytes);
  return bytes;
}

TEST(Tcp, ParseReturnsWhatEmitWrote) {
  const auto bytes = emitted(kSyn);
  ASSERT_EQ(bytes.size(), 40u);
  const auto view = TcpView::parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->src_port(), 34562);
  EXPECT_EQ(view->dst_port(), 80);
  EXPECT_EQ(view->seq(), Seq{0xdeadbeef});
  EXPECT_EQ(view->ack_number(), Seq{7});
  EXPECT_TRUE(view->syn() && view->ack());
  EXPECT_FALSE(view->fin() || view->rst() || view->psh() || view->urg() || view->ece() || view->cwr());
  EXPECT_EQ(view->window(), 64240);
  EXPECT_EQ(view->checksum(), 0x1234);
  EXPECT_EQ(view->urgent_pointer(), 5);
  EXPECT_EQ(view->header_size(), 40u);
  EXPECT_EQ(view->options(), kSyn.options);
}

TEST(Tcp, EveryFlagHasItsBit) {
  for (int bit = 0; bit < 8; ++bit) {
    auto fields = kSyn;
    fields.flags = static_cast<std::uint8_t>(1 << bit);
    const auto bytes = emitted(fields);
    const auto view = TcpView::parse(bytes);
    ASSERT_TRUE(view);
    const std::array flags{view->fin(), view->syn(), view->rst(), view->psh(),
                           view->ack(), view->urg(), view->ece(), view->cwr()};
    for (int other = 0; other < 8; ++other) EXPECT_EQ(flags[static_cast<std::size_t>(other)], other == bit);
  }
}

TEST(Tcp, PayloadIsNotPartOfTheView) {
  auto bytes = emitted({.src_port = 1});
  bytes.resize(100);
  EXPECT_EQ(TcpView::parse(bytes)->header_size(), 20u);
}

TEST(Tcp, RejectsWhatIsTooShortOrLies) {
  auto bytes = emitted(kSyn);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(TcpView::parse(Bytes{bytes}.first(size)).drop(), Drop::TruncatedHeader) << size;
  store_u8(bytes, 12, 4 << 4);
  EXPECT_EQ(TcpView::parse(bytes).drop(), Drop::BadHeaderLength);
  store_u8(bytes, 12, 11 << 4);
  EXPECT_EQ(TcpView::parse(bytes).drop(), Drop::TruncatedHeader);
}

}  // namespace
}  // namespace stack::wire
