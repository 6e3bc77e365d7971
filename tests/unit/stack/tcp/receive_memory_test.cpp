// What a connection holds of the account: compact, pruned under pressure, never what was acknowledged; and the window
// that follows it.
#include <random>

#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

Packet payload(PacketPool& pool, Bytes bytes) {
  Packet packet = pool.allocate(bytes.size());
  std::ranges::copy(bytes, packet.make_private(bytes.size()).begin());
  return packet;
}

struct ReceiveMemory : TcpScript {
  ReceiveMemory() {
    config.receive_buffer = 4 << 20;
    account = std::make_shared<Account>(Account::kSmallestLimit);
    teller = std::make_shared<Teller>(account);
  }
  // As if others had taken all but this much.
  void leave(std::size_t bytes) {
    ASSERT_GE(account->room(), bytes);
    taken = account->room() - bytes;
    ASSERT_TRUE(account->take(Use::InOrder, taken));
  }
  void TearDown() override {
    account->give(Use::InOrder, taken);
    TcpScript::TearDown();
  }
  const OutOfOrder& out_of_order() const { return endpoint->tcb().out_of_order; }
  const ReceiveQueue& received() const { return endpoint->tcb().received; }
  std::size_t taken = 0;
};

// RFC 9293 3.10.7.4 with RFC 2018: small segments behind a hole cost what they weigh.
TEST_F(ReceiveMemory, OneByteSegmentsBehindAHoleHoldNoPacket) {
  established({.window_scale = 7});
  const auto most = static_cast<std::uint32_t>(OutOfOrder::kMaxPieces);
  for (std::uint32_t i = 0; i < most; ++i) receive(data(3 + 2 * i, 1));
  EXPECT_EQ(out_of_order().piece_count(), most);
  EXPECT_EQ(pool.in_use(), 0u);
  EXPECT_LE(out_of_order().memory(), most * 96);
  EXPECT_EQ(account->held(Use::OutOfOrder), out_of_order().memory());
}
TEST_F(ReceiveMemory, NeighboursBehindAHoleAreBroughtTogether) {
  established({.window_scale = 7});
  for (std::uint32_t i = 0; i < 3'000; ++i) receive(data(10 + i, 1));
  EXPECT_LE(out_of_order().piece_count(), 16u);
  EXPECT_LE(out_of_order().memory(), 3 * 3'000u);
  receive(data(1, 9));
  EXPECT_EQ(out_of_order().memory(), 0u);
  EXPECT_EQ(read_all(), pattern(3'009));
}
TEST_F(ReceiveMemory, SmallUnreadSegmentsAreBroughtTogether) {
  established({.window_scale = 7});
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    receive(data(1 + i, 1));
    if (i % 3 == 0) poll();
  }
  poll();
  EXPECT_EQ(endpoint->readable_bytes(), 20'000u) << "each of them was taken";
  EXPECT_EQ(pool.in_use(), 0u);
  EXPECT_LE(received().piece_count(), 32u);
  EXPECT_LE(account->held(Use::InOrder), 3 * 20'000u);
  EXPECT_EQ(read_all(), pattern(20'000));
  EXPECT_EQ(account->held(), 0u);
}
// A packet is let go at once, its bytes at the end of the round; so no driver's clone waits for an application.
TEST_F(ReceiveMemory, WhatIsNotReadInItsRoundIsCopiedOut) {
  established({});
  Packet packet = make_packet(data(1, 900));
  Packet kept = packet.share();
  tcp->receive(std::move(packet), now);
  EXPECT_EQ(kept.is_shared(), true) << "its block is read in place";
  EXPECT_TRUE(received().has_lent());
  EXPECT_LE(tcp->next_deadline(), now) << "the end of the round comes by itself";
  poll();
  EXPECT_FALSE(received().has_lent());
  EXPECT_FALSE(kept.is_shared());
  std::ranges::fill(kept.make_private(kept.size()), std::byte{0xee});
  EXPECT_EQ(read_all(), pattern(900));
}
TEST_F(ReceiveMemory, WhatIsReadInItsRoundIsNotCopied) {
  established({});
  Packet packet = make_packet(data(1, 900));
  const std::byte* const first = packet.contiguous().data() + 20;
  tcp->receive(std::move(packet), now);
  endpoint->read_in_place(900, [&](Bytes bytes) {
    EXPECT_EQ(bytes.data(), first);
    return true;
  });
  EXPECT_EQ(account->held(), 0u);
}
// RFC 2018 8: what was reported may be dropped; it is not reported again then.
TEST_F(ReceiveMemory, PrunedBytesAreNotReportedAgain) {
  established({.sack = true, .window_scale = 7});
  for (std::uint32_t i = 0; i < 10; ++i) receive(data(2'001 + 10'000 * i, 5'000));
  EXPECT_EQ(take_all().back().options.sack_storage[0].left - irs, 92'001u);
  leave(0);
  for (std::uint32_t i = 0; i < 8; ++i)  // in order, and nobody reads
    receive(data(1 + 200 * i, 200));
  EXPECT_LT(out_of_order().bytes(), 50'000u);
  EXPECT_GT(out_of_order().bytes(), 0u) << "no more than was needed";
  const Seq held_end = irs + 2'001 + 10'000 * static_cast<std::uint32_t>(out_of_order().piece_count() - 1) + 5'000;
  for (const Sent& sent : take_all())
    for (const auto& block : sent.options.sack_blocks())
      EXPECT_TRUE(sent.ack != irs + 1'601 || block.right.at_or_before(held_end));
  EXPECT_EQ(read_all(), pattern(1'600)) << "what was acknowledged is there";
  EXPECT_GT(account->pruned(), 0u);
}
TEST_F(ReceiveMemory, WhatIsNearerToItsTurnIsKept) {
  established({.sack = true, .window_scale = 7});
  receive(data(50'001, 5'000));
  leave(0);
  receive(data(20'001, 1'000));  // pushes out what lies behind it
  EXPECT_EQ(out_of_order().bytes(), 1'000u);
  receive(data(60'001, 9'000));  // does not push out what lies before it
  EXPECT_EQ(out_of_order().bytes(), 1'000u);
  EXPECT_EQ(stats.dropped(Drop::ReceiveMemory), 1u);
}
TEST_F(ReceiveMemory, InOrderBytesWithoutMemoryAreNotAcknowledged) {
  established({});
  leave(0);
  ASSERT_TRUE(account->take(Use::InOrder, account->reserve(), Account::Reserve::Allowed));
  receive(data(1, 500));
  EXPECT_EQ(expect_one().ack - irs, 1u);
  EXPECT_EQ(stats.dropped(Drop::ReceiveMemory), 1u);
  account->give(Use::InOrder, account->reserve());
  receive(data(1, 500));
  EXPECT_EQ(read_all(), pattern(500));
}
TEST_F(ReceiveMemory, TheReserveLetsReadersGetOn) {
  established({});
  leave(0);
  std::uint32_t at = 1;
  for (int i = 0; i < 200; ++i, at += 1'000) {
    receive(data(at, 1'000));
    ASSERT_EQ(read_all(), pattern(1'000, at - 1));
  }
  for (int i = 0; i < 200; ++i) receive(data(at + 1'000 * static_cast<std::uint32_t>(i), 1'000));
  EXPECT_LT(endpoint->readable_bytes(), 2 * ReceiveQueue::kSmall) << "who does not read keeps no more of it";
}
// RFC 9293 3.8.6: promised by what is there; what was announced stays announced.
TEST_F(ReceiveMemory, TheWindowFollowsTheAccount) {
  account = std::make_shared<Account>(16 << 20);
  teller = std::make_shared<Teller>(account);
  established({.window_scale = 7});
  receive(data(1, 1'000));
  advance(1s);
  const Sent rich = take_all().back();
  const std::uint32_t scale = endpoint->tcb().rcv_scale;
  EXPECT_GT(rich.window << scale, 1U << 20);
  read_all();
  leave(80'000);
  receive(data(1'001, 1'000));
  advance(1s);
  const Sent poor = take_all().back();
  EXPECT_TRUE((poor.ack + (poor.window << scale)).at_or_after(rich.ack + (rich.window << scale)));
  EXPECT_LE((poor.ack + (poor.window << scale)) - (rich.ack + (rich.window << scale)), 128u);
}
TEST_F(ReceiveMemory, ANewConnectionIsPromisedItsShare) {
  start();
  leave(800'000);
  established({.window_scale = 7});
  receive(data(1, 1'000));
  advance(1s);
  const std::uint32_t window = take_all().back().window << endpoint->tcb().rcv_scale;
  EXPECT_LE(window, 101'000u);
  EXPECT_GE(window, 90'000u);
}
TEST_F(ReceiveMemory, AConnectionMayAlwaysGetOn) {
  start();
  leave(0);
  established({.window_scale = 7});
  receive(data(1, 100));
  read_all();
  advance(1s);
  EXPECT_GE(take_all().back().window << endpoint->tcb().rcv_scale, Tcb::kLeastReceiveLimit - 200);
}
TEST_F(ReceiveMemory, AnEndedConnectionGivesBackWhatWaited) {
  established({});
  receive(data(1, 500));
  receive(data(1'001, 500));
  poll();
  receive(rst(501));
  EXPECT_EQ(account->held(), 0u);
}
// Against a queue without a bound, under random takes of others: what comes out is the stream, and the sum is kept.
TEST(OutOfOrderMemory, PruningLosesNothingButTime) {
  std::mt19937 random{5};
  PacketPool pool;
  const auto stream = pattern(200'000);
  const auto account = std::make_shared<Account>(Account::kSmallestLimit);
  const auto teller = std::make_shared<Teller>(account);
  ASSERT_TRUE(account->take(Use::InOrder, account->room() - 30'000));
  const std::size_t base_held = account->held();
  const Seq base{0xffff'f000};
  OutOfOrder queue{teller}, other{teller};
  ByteVector out;
  Seq nxt = base;
  while (out.size() < stream.size()) {
    const std::size_t from = out.size() + random() % 20'000, size = 1 + random() % 3'000;
    if (from + size > stream.size()) {
      ByteVector rest(stream.begin() + static_cast<std::ptrdiff_t>(out.size()), stream.end());
      out.insert(out.end(), rest.begin(), rest.end());
      break;
    }
    const Packet packet = payload(pool, Bytes{stream}.subspan(from, size));
    if (from != out.size()) {
      queue.add(base + static_cast<std::uint32_t>(from), packet);
      const Packet disturbing = payload(pool, Bytes{stream}.first(1 + random() % 900));
      other.add(Seq{static_cast<std::uint32_t>(random())}, disturbing);
      if (random() % 50 == 0) other.clear();
    } else {
      out.insert(out.end(), stream.begin() + static_cast<std::ptrdiff_t>(from),
                 stream.begin() + static_cast<std::ptrdiff_t>(from + size));
      nxt += static_cast<std::uint32_t>(size);
    }
    while (const auto next = queue.take_next(nxt)) {
      out.insert(out.end(), next->bytes().begin(), next->bytes().end());
      nxt += next->size;
      teller->give(Use::InOrder, next->charge);
    }
    ASSERT_EQ(account->held(), base_held + queue.memory() + other.memory());
    ASSERT_LE(account->held(), account->limit() - account->reserve());
  }
  EXPECT_EQ(out, stream);
  EXPECT_GT(account->pruned(), 0u);
}

}  // namespace
}  // namespace stack::tcp::test
