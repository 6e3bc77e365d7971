// Windows (RFC 9293 3.4 and 3.8.6, RFC 7323 2): what is acceptable, what is cut, what is announced and when.
#include "stack/tcp/window.hpp"

#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

using Announced = TcpScript;

TEST(Window, ScaleForBuffer) {
  EXPECT_EQ(window_scale_for(65'535), 0);
  EXPECT_EQ(window_scale_for(65'536), 1);
  EXPECT_EQ(window_scale_for(4 << 20), 7);
  EXPECT_EQ(window_scale_for(std::size_t{1} << 40), 14);
}
// RFC 9293 3.4: length and window, zero or not; all around the end of the number space.
// checklist: TCP-081
TEST(Window, AcceptabilityTable) {
  const TcpConfig config;
  Tcb tcb{config, Family::V4, unlimited()};
  tcb.begin_receive(Seq{0xffff'fffb});  // rcv_nxt is fffffffc
  const auto accepts = [&](std::int32_t offset, std::uint32_t size, std::uint32_t window) {
    tcb.rcv_adv = tcb.rcv_nxt + window;
    Segment segment;
    segment.seq = tcb.rcv_nxt + static_cast<std::uint32_t>(offset);
    segment.payload_size = size;
    return is_acceptable(tcb, segment);
  };
  EXPECT_TRUE(accepts(0, 0, 0));
  EXPECT_FALSE(accepts(1, 0, 0));
  EXPECT_FALSE(accepts(-1, 0, 0));
  EXPECT_TRUE(accepts(0, 0, 10));
  EXPECT_TRUE(accepts(9, 0, 10));
  EXPECT_FALSE(accepts(10, 0, 10));
  EXPECT_FALSE(accepts(-1, 0, 10));
  EXPECT_FALSE(accepts(0, 1, 0));
  EXPECT_TRUE(accepts(0, 1, 10));
  EXPECT_TRUE(accepts(9, 100, 10));
  EXPECT_FALSE(accepts(10, 1, 10));
  EXPECT_TRUE(accepts(-5, 6, 10));
  EXPECT_FALSE(accepts(-5, 5, 10));
  EXPECT_TRUE(accepts(-5, 100, 10));
}
// checklist: TCP-082
TEST(Window, TrimsBothEnds) {
  const TcpConfig config;
  Tcb tcb{config, Family::V4, unlimited()};
  tcb.begin_receive(Seq{99});
  tcb.rcv_adv = Seq{110};
  Segment segment;
  segment.seq = Seq{95};
  segment.payload_size = 30;
  segment.flags = flag::kFin;
  trim_to_window(tcb, segment);
  EXPECT_EQ(segment.seq, Seq{100});
  EXPECT_EQ(segment.payload_size, 10u);
  EXPECT_FALSE(segment.fin());
}
// checklist: TCP-063, TCP-277
TEST_F(Announced, ZeroReceiveWindow) {
  config.receive_buffer = 4'000;
  established({});
  for (std::uint32_t i = 0; i < 4; ++i) receive(data(1 + i * 1'000, i == 3 ? 744 : 1'000));
  advance(1s);
  const Sent full = take_all().back();
  const std::uint32_t next = full.ack - irs;
  receive(data(next, static_cast<std::size_t>(full.window)));
  advance(1s);
  const Sent closed = take_all().back();
  EXPECT_EQ(closed.window, 0u);
  const std::uint32_t at = closed.ack - irs;
  receive(data(at, 1));  // a probe
  EXPECT_EQ(expect_one().window, 0u);
  ByteVector bytes(100);
  endpoint->read(bytes);
  poll();
  expect_nothing();  // not for so little (RFC 9293 3.8.6.2.2)
  ByteVector more(3'000);
  endpoint->read(more);
  poll();
  EXPECT_GE(expect_one().window, 1'460u);
  receive(rst(at));
  EXPECT_EQ(endpoint->error(), Error::ConnectionReset);
}
// checklist: TCP-056
TEST_F(Announced, RightEdgeNeverMovesLeft) {
  config.receive_buffer = 100'000;
  established({.window_scale = 7});
  Seq edge{};
  std::uint32_t at = 1;
  for (int i = 0; i < 200; ++i) {
    const std::size_t size = 1 + static_cast<std::size_t>(i * 37 % 900);
    receive(data(at, size));
    at += static_cast<std::uint32_t>(size);
    if (i % 7 == 0) {
      ByteVector some(777);
      endpoint->read(some);
      poll();
    }
    advance(50ms);
    for (const Sent& s : take_all()) {
      const Seq now_edge = s.ack + (s.window << 1);  // 100,000 bytes need a shift of one
      if (edge != Seq{}) {
        EXPECT_FALSE(now_edge.before(edge));
      }
      edge = later(edge == Seq{} ? now_edge : edge, now_edge);
    }
  }
}

TEST_F(Announced, ResetWithTextAtAClosedWindow) {
  config.receive_buffer = 2'000;
  established({});
  std::uint32_t at = 1;
  for (std::uint32_t window = 2'000; window > 0; window = take_all().back().window) {
    receive(data(at, window));
    at += window;
    advance(1s);
  }
  In in = rst(at);
  in.payload = pattern(5);
  receive(in);
  EXPECT_EQ(endpoint->error(), Error::ConnectionReset);
}

TEST_F(Announced, NoUpdateForASenderThatHasRoom) {
  established({});
  receive(data(1, 1'000));
  receive(data(1'001, 1'000));
  expect_ack(2'001);
  read_all();
  poll();
  expect_nothing();
}
TEST_F(Announced, NoUpdateAfterTheEnd) {
  config.receive_buffer = 4'000;
  established({});
  receive(data(1, 1'000));
  receive(data(1'001, 1'000));
  receive(fin(2'001));
  take_all();
  read_all();
  poll();
  expect_nothing();
}

}  // namespace
}  // namespace stack::tcp::test
