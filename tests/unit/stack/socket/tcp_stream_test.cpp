// Streams and listeners as an application uses them: two modules, packets handed across by hand.
#include "stack/socket/tcp_stream.hpp"

#include "stack/socket/tcp_listener.hpp"
#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack {
namespace {

using tcp::test::ack;
using tcp::test::ByteVector;
using tcp::test::In;
using tcp::test::pattern;
namespace flag = tcp::flag;

struct Log final : TcpStream::Observer {
  void on_connected() override { text += "c"; }
  void on_readable() override {
    text += "r";
    if (on_read) on_read();
  }
  void on_writable() override { text += "w"; }
  void on_failed(Error e) override {
    text += "f";
    error = e;
  }
  std::string text;
  Error error = Error::None;
  std::function<void()> on_read;
};

class Streams : public tcp::test::TcpScript {
 protected:
  void open() {
    established({});
    stream = TcpStream{std::move(endpoint)};
    stream.set_observer(&log);
  }
  void TearDown() override {
    stream = TcpStream{};
    socket_listener = TcpListener{};
    TcpScript::TearDown();
  }
  Log log;
  TcpStream stream;
  TcpListener socket_listener;
};

TEST_F(Streams, ObserversAreNeverCalledInline) {
  open();
  receive({.payload = pattern(10)});
  EXPECT_EQ(log.text, "");
  poll();
  EXPECT_EQ(log.text, "r");
  receive({.seq = 11, .payload = pattern(10, 10)});
  poll();
  EXPECT_EQ(log.text, "r");  // not again before everything was read
  ByteVector some(5);
  EXPECT_EQ(stream.read(some).count, 5u);
  receive({.seq = 21, .payload = pattern(10, 20)});
  poll();
  EXPECT_EQ(log.text, "r");  // nor after a part of it
  ByteVector bytes(100);
  EXPECT_EQ(stream.read(bytes).count, 25u);
  EXPECT_EQ(stream.read(bytes).error, Error::WouldBlock);
  receive({.seq = 31, .payload = pattern(1, 30)});
  poll();
  EXPECT_EQ(log.text, "rr");
}
TEST_F(Streams, ReadsInPlace) {
  open();
  receive({.payload = pattern(100)});
  ByteVector seen;
  const auto got = stream.read_in_place(60, [&](Bytes b) {
    seen.insert(seen.end(), b.begin(), b.end());
    return true;
  });
  EXPECT_EQ(got.count, 60u);
  EXPECT_EQ(seen, pattern(60));
  EXPECT_EQ(stream.readable(), 40u);
  stream.abort();
  poll();
}
TEST_F(Streams, ReadingInPlaceWithoutBytesIsNotTheEnd) {
  open();
  const auto nothing = [](Bytes) { return true; };
  EXPECT_EQ(stream.read_in_place(60, nothing).error, Error::WouldBlock);
  receive({.flags = flag::kFin | flag::kAck});
  poll();
  const auto end = stream.read_in_place(60, nothing);
  EXPECT_EQ(end.count, 0u);
  EXPECT_EQ(end.error, Error::None);
}
TEST_F(Streams, EndOfStreamIsZeroBytesWithoutError) {
  open();
  receive({.flags = flag::kFin | flag::kAck});
  poll();
  ByteVector bytes(10);
  const auto got = stream.read(bytes);
  EXPECT_EQ(got.count, 0u);
  EXPECT_EQ(got.error, Error::None);
  EXPECT_EQ(std::string(stream.info().state), "CLOSE_WAIT");
}
TEST_F(Streams, MayBeClosedFromItsOwnCallback) {
  open();
  log.on_read = [&] { stream.close(); };
  receive({.payload = pattern(10)});
  poll();
  EXPECT_FALSE(stream);
  EXPECT_TRUE(take_all().back().has(flag::kRst));  // unread bytes
}
TEST_F(Streams, QueuesABlockWithoutCopyAndFinishes) {
  open();
  const BufferRef page = make_buffer(3'000);
  const auto bytes = pattern(3'000);
  std::ranges::copy(bytes, page.bytes().begin());
  stream.finish_after_next_write();
  EXPECT_EQ(stream.write(page, 500, 2'500).count, 2'500u);
  stream.close();
  take_all();
  poll();
  const auto sent = take_all();
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_TRUE(sent[2].has(flag::kFin));
  EXPECT_EQ(sent[0].payload, ByteVector(bytes.begin() + 500, bytes.begin() + 1'500));
}
TEST_F(Streams, DestroyingTheHandleCloses) {
  open();
  take_all();
  stream = TcpStream{};
  poll();
  EXPECT_TRUE(expect_one().has(flag::kFin));
}
TEST_F(Streams, OutlivesTheStack) {
  open();
  tcp.reset();
  ByteVector bytes(10);
  EXPECT_EQ(stream.read(bytes).error, Error::Closed);
  EXPECT_EQ(stream.write(bytes).error, Error::Closed);
  stream.set_no_delay(true);
  stream.close();
}
TEST_F(Streams, FailureIsToldOnce) {
  open();
  receive({.flags = flag::kRst});
  poll();
  EXPECT_EQ(log.text, "f");
  EXPECT_EQ(log.error, Error::ConnectionReset);
  ByteVector bytes(1);
  EXPECT_EQ(stream.read(bytes).error, Error::ConnectionReset);
}
TEST_F(Streams, ListenerHandsOutStreams) {
  start();
  socket_listener = TcpListener{tcp->listen(local, nullptr).listener};
  EXPECT_EQ(socket_listener.local(), local);
  socket_listener.set_accept_handler([&](TcpStream accepted) { stream = std::move(accepted); });
  receive({.seq = 0, .flags = flag::kSyn});
  iss = expect_one().seq;
  receive(ack(1));
  EXPECT_FALSE(stream);
  poll();
  ASSERT_TRUE(stream);
  { const TcpListener last = std::move(socket_listener); }  // closes
  EXPECT_NE((socket_listener = TcpListener{tcp->listen(local, nullptr).listener}).endpoint(), EndpointId{});
  EXPECT_EQ(stream.info().remote, remote);
  EXPECT_EQ(std::string(stream.info().state), "ESTABLISHED");
}

}  // namespace
}  // namespace stack
