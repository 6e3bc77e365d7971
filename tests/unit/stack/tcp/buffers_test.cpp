// The bytes of a connection: written and not acknowledged, received and not read, received before their turn.
#include <random>

#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

const Seq kBase{0xffff'ff00};

Packet payload(PacketPool& pool, Bytes bytes) {
  Packet packet = pool.allocate(bytes.size());
  std::ranges::copy(bytes, packet.make_private(bytes.size()).begin());
  return packet;
}

TEST(SendBuffer, CopiesQueuesDropsAndShares) {
  SendBlocks blocks{8 << 20};
  PacketPool pool;
  {
    SendBuffer buffer{200'000};
    EXPECT_EQ(buffer.write(pattern(100'000), blocks), 100'000u);
    const BufferRef page = make_buffer(50'000);
    const auto more = pattern(50'000, 100'000);
    std::ranges::copy(more, page.bytes().begin());
    EXPECT_EQ(buffer.write(page, 0, 50'000, blocks), 50'000u);
    EXPECT_EQ(buffer.write(pattern(70'000, 150'000), blocks), 50'000u);  // the limit
    EXPECT_EQ(buffer.room(), 0u);
    Packet packet = pool.allocate(0);
    EXPECT_EQ(buffer.append_to(packet, 90'000, 30'000), 30'000u);
    buffer.drop_front(120'000);  // the packet keeps its blocks
    ByteVector bytes(30'000);
    packet.copy_out(0, bytes);
    EXPECT_EQ(bytes, pattern(30'000, 90'000));
    ByteVector rest(80'000);
    EXPECT_EQ(buffer.copy_out(0, rest), 80'000u);
    EXPECT_EQ(rest, pattern(80'000, 120'000));
  }
  EXPECT_EQ(pool.in_use(), 0u);
}
TEST(SendBuffer, BlockLimitIsAShortWrite) {
  SendBlocks blocks{100'000};  // one large block, six small ones
  std::deque<SendBuffer> buffers;
  std::size_t taken = 0;
  for (int i = 0; i < 10; ++i) taken += buffers.emplace_back(std::size_t{1} << 20).write(pattern(500'000), blocks);
  EXPECT_LE(taken, 100'000u);
  EXPECT_LE(blocks.held(), blocks.limit());
  EXPECT_EQ(buffers.back().size(), 0u);
  EXPECT_GE(buffers[1].size(), SendBlocks::kSmallBlock) << "small ones when there is no large one";
  buffers.front().clear();
  EXPECT_GT(buffers.back().write(pattern(1'000), blocks), 0u);
}
// A peer that does not read leaves room for the others.
TEST(SendBuffer, OneWriterGetsAPartOfWhatIsFree) {
  SendBlocks blocks{4 << 20};
  SendBuffer hog{4 << 20}, other{4 << 20};
  std::size_t taken = 0;
  for (std::size_t count = 1; count > 0; taken += count) count = hog.write(pattern(100'000), blocks);
  EXPECT_LE(taken, (4u << 20) / 8);
  EXPECT_GE(taken, (4u << 20) / 10);
  const BufferRef page = make_buffer(1 << 20);
  EXPECT_EQ(hog.write(page, 0, 1 << 20, blocks), std::size_t{1} << 20) << "bytes that are not copied take none of it";
  EXPECT_EQ(other.write(pattern(200'000), blocks), 200'000u);
}
TEST(ReceiveQueue, ReadsAcrossPackets) {
  PacketPool pool;
  {
    ReceiveQueue queue{unlimited()};
    for (const std::size_t from : {0U, 100U}) {
      Packet packet = payload(pool, pattern(100, from));
      EXPECT_TRUE(queue.push(packet));
      EXPECT_FALSE(packet);
    }
    ByteVector bytes(150);
    EXPECT_EQ(queue.read(bytes), 150u);
    EXPECT_EQ(bytes, pattern(150));
    std::size_t seen = 0;
    EXPECT_EQ(queue.read_in_place(30, [&](Bytes b) { return seen += b.size(), true; }), 30u);
    EXPECT_EQ(seen, 30u);
    EXPECT_EQ(queue.size(), 20u);
  }
  EXPECT_EQ(pool.in_use(), 0u);
}
TEST(OutOfOrder, RandomOverlapsGiveTheStreamBack) {
  std::mt19937 random{9};
  PacketPool pool;
  const auto stream = pattern(5'000);
  for (int round = 0; round < 100; ++round) {
    const auto queue_teller = unlimited();
    OutOfOrder queue{queue_teller};
    ByteVector out;
    const Seq base = kBase;
    Seq nxt = base;
    while (out.size() < stream.size()) {
      const std::size_t from = random() % stream.size();
      const std::size_t size = std::min<std::size_t>(1 + random() % 400, stream.size() - from);
      Seq begin = base + static_cast<std::uint32_t>(from);
      const Seq end = begin + static_cast<std::uint32_t>(size);
      if (!end.after(nxt)) continue;
      Packet packet = payload(pool, Bytes{stream}.subspan(from, size));
      if (begin.before(nxt)) {
        packet.pull(nxt - begin);
        begin = nxt;
      }
      if (begin == nxt && random() % 4 != 0) {
        ByteVector bytes(packet.size());
        packet.copy_out(0, bytes);
        out.insert(out.end(), bytes.begin(), bytes.end());
        nxt += static_cast<std::uint32_t>(bytes.size());
      } else {
        queue.add(begin, packet);
      }
      while (auto next = queue.take_next(nxt)) {
        out.insert(out.end(), next->bytes().begin(), next->bytes().end());
        nxt += next->size;
        queue_teller->give(Use::InOrder, next->charge);
      }
    }
    ASSERT_EQ(out, stream);
    ASSERT_TRUE(queue.empty());
    ASSERT_EQ(queue.bytes(), 0u);
    ASSERT_EQ(queue_teller->account().held(), 0u);
  }
  EXPECT_EQ(pool.in_use(), 0u);
}
TEST(OutOfOrder, ReportsNewestFirstAndDuplicatesOnce) {
  PacketPool pool;
  OutOfOrder queue{unlimited()};
  for (const std::uint32_t at : {100U, 300U, 500U, 700U, 900U}) {
    Packet packet = payload(pool, pattern(100));
    EXPECT_EQ(queue.add(kBase + at, packet), OutOfOrder::Added::Stored);
  }
  wire::TcpOptions options;
  options.timestamps = wire::Timestamps{};
  queue.report(options, kBase);
  ASSERT_EQ(options.sack_count, 3);
  EXPECT_EQ(options.sack_storage[0].left, kBase + 900);
  EXPECT_EQ(options.sack_storage[1].left, kBase + 700);
  Packet join = payload(pool, pattern(100));
  queue.add(kBase + 400, join);  // joins 300 and 500
  wire::TcpOptions joined;
  queue.report(joined, kBase);
  EXPECT_EQ(joined.sack_storage[0], (wire::SackBlock{kBase + 300, kBase + 600}));
  Packet again = payload(pool, pattern(50));
  EXPECT_EQ(queue.add(kBase + 310, again), OutOfOrder::Added::Duplicate);
  wire::TcpOptions duplicate;
  queue.report(duplicate, kBase);
  EXPECT_EQ(duplicate.sack_storage[0], (wire::SackBlock{kBase + 310, kBase + 360}));
  wire::TcpOptions after;
  queue.report(after, kBase);
  EXPECT_EQ(after.sack_storage[0].left, kBase + 300);
}
TEST(OutOfOrder, IsBounded) {
  PacketPool pool;
  OutOfOrder queue{unlimited()};
  std::size_t stored = 0;
  for (std::uint32_t i = 0; i < OutOfOrder::kMaxPieces + 10; ++i) {
    Packet packet = payload(pool, pattern(1));
    if (queue.add(kBase + 2 * i + 1, packet) == OutOfOrder::Added::Stored) ++stored;
  }
  EXPECT_EQ(stored, OutOfOrder::kMaxPieces);
}

TEST(SendBuffer, SmallPiecesOfABlockAreCopied) {
  SendBlocks blocks{8 << 20};
  SendBuffer buffer{10'000};
  const BufferRef page = make_buffer(2'000);
  std::ranges::fill(page.bytes(), std::byte{1});
  EXPECT_EQ(buffer.write(page, 0, SendBuffer::kCopyBelow - 1, blocks), SendBuffer::kCopyBelow - 1);
  EXPECT_EQ(buffer.write(page, 0, SendBuffer::kCopyBelow, blocks), SendBuffer::kCopyBelow);
  std::ranges::fill(page.bytes(), std::byte{2});
  ByteVector bytes(buffer.size());
  buffer.copy_out(0, bytes);
  EXPECT_EQ(bytes.front(), std::byte{1});
  EXPECT_EQ(bytes.back(), std::byte{2});  // queued in place
}

}  // namespace
}  // namespace stack::tcp::test
