// Numbers that outsiders must not guess: first sequence numbers (RFC 6528) and SYN cookies (RFC 4987).
#include "stack/tcp/handshake.hpp"
#include "stack/tcp/input_listen.hpp"

#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

const FourTuple kTuple{{*IpAddress::parse("10.0.0.2"), 80}, {*IpAddress::parse("10.0.0.1"), 4000}};

// checklist: TCP-012, TCP-013, TCP-127
TEST(Isn, ClockAndKey) {
  SeededRandom a{1}, b{2};
  const IsnGenerator one{a}, other{b};
  const Instant now = Instant::from_ns(123'456'789);
  EXPECT_EQ(one.make(kTuple, now + 4ms) - one.make(kTuple, now), 1000u);
  EXPECT_NE(one.make(kTuple, now), other.make(kTuple, now));
  FourTuple neighbour = kTuple;
  neighbour.remote.port++;
  EXPECT_GT(one.make(neighbour, now) - one.make(kTuple, now), 1000u);
  const Seq used = one.make(kTuple, now) + 5;
  EXPECT_TRUE(one.make_after(kTuple, used, now).after(used));
}
TEST(SynCookie, RestoresWhatItCarries) {
  SeededRandom random{3};
  const SynCookies cookies{random};
  const Instant now = Instant::from_ns(1'000'000'000'000);
  Segment syn;
  syn.seq = Seq{77};
  syn.flags = flag::kSyn;
  syn.options.mss = 1452;
  syn.options.window_scale = 7;
  syn.options.sack_permitted = true;
  Segment ack;
  ack.seq = Seq{78};
  ack.flags = flag::kAck;
  ack.ack_number = cookies.make(kTuple, syn, now) + 1;
  ack.options.timestamps = wire::Timestamps{5, SynCookies::encode_timestamp(1'000'003, syn.options)};
  EXPECT_LE(ack.options.timestamps->echo, 1'000'003u);
  EXPECT_GT(ack.options.timestamps->echo, 1'000'003u - 64);
  for (const Duration age : {Duration{0}, Duration{31s}, Duration{60s}}) {
    const auto restored = cookies.check(kTuple, ack, now + age);
    ASSERT_TRUE(restored);
    EXPECT_EQ(restored->mss, 1440);
    EXPECT_EQ(restored->window_scale, 7);
    EXPECT_TRUE(restored->sack_permitted);
  }
  EXPECT_FALSE(cookies.check(kTuple, ack, now + 200s));
  FourTuple other = kTuple;
  other.remote.port++;
  EXPECT_FALSE(cookies.check(other, ack, now));
  Segment forged = std::move(ack);
  forged.ack_number += 1;
  EXPECT_FALSE(cookies.check(kTuple, forged, now));
}
TEST(SynCookie, LeavesTheTcbAsTheHandshakeDoes) {
  const TcpConfig config;
  const Instant now = Instant::from_ns(1'000'000'000'000);
  Segment syn;
  syn.seq = Seq{77};
  syn.flags = flag::kSyn;
  syn.window = 1'000;
  syn.options.mss = 1440;
  syn.options.window_scale = 7;
  syn.options.sack_permitted = true;
  syn.options.timestamps = wire::Timestamps{5, 0};
  Tcb usual{config, Family::V4, unlimited()};
  accept_syn(usual, syn, Seq{500}, now);
  Segment ack;
  ack.seq = Seq{78};
  ack.flags = flag::kAck;
  ack.ack_number = Seq{501};
  ack.window = 1'000;
  ack.options.timestamps = syn.options.timestamps;
  Tcb restored{config, Family::V4, unlimited()};
  restore_from_cookie(restored, ack, {.mss = 1440, .window_scale = 7, .sack_permitted = true}, now);
  EXPECT_EQ(restored.iss, usual.iss);
  EXPECT_EQ(restored.irs, usual.irs);
  EXPECT_EQ(restored.rcv_nxt, usual.rcv_nxt);
  EXPECT_EQ(restored.buffer_begin, usual.buffer_begin);
  EXPECT_EQ(restored.peer_mss, usual.peer_mss);
  EXPECT_EQ(restored.snd_scale, usual.snd_scale);
  EXPECT_EQ(restored.rcv_scale, usual.rcv_scale);
  EXPECT_EQ(restored.ts_recent, usual.ts_recent);
  EXPECT_TRUE(restored.sack_ok && restored.timestamps_ok && restored.window_scale_ok);
  EXPECT_EQ(restored.snd_una, Seq{501});
  EXPECT_EQ(restored.snd_nxt, Seq{501});
  EXPECT_EQ(restored.snd_wnd, 128'000u) << "an ACK's window is scaled, a SYN's is not";
  EXPECT_EQ(restored.rcv_wnd(), 65'535u) << "what the SYN-ACK has announced";
}

}  // namespace
}  // namespace stack::tcp::test
