// What the service answers, and when a connection ends. What it refuses: http_refusals_test.cpp.
#include "tests/unit/src/app/services/http_fixture.hpp"

namespace app::services {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(Http, ServesAPage) {
  const auto response = ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(response, HasSubstr("Connection: keep-alive\r\n"));
  EXPECT_THAT(response, HasSubstr("It works"));
}

TEST_F(Http, KeepsTheConnectionAndAnswersInOrder) {
  auto wire = network_.accept(80);
  for (int i = 0; i < 3; ++i) {
    network_.send(*wire, "GET /bytes/10 HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(body_of(network_.take(*wire)), counted(10));
  }
  EXPECT_FALSE(wire->fin);
  network_.finish(*wire);
  EXPECT_TRUE(wire->closed);
  EXPECT_EQ(service_.stats().requests, 3u);
}

TEST_F(Http, RequestsMayComeByteByByteAndAllAtOnce) {
  auto wire = network_.accept(80);
  const std::string request = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde";
  for (char c : request) network_.send(*wire, std::string(1, c));
  EXPECT_EQ(body_of(network_.take(*wire)), "abcde");
  network_.send(*wire, request + request + "GET /status/204 HTTP/1.1\r\nHost: x\r\n\r\n" + request);
  const auto all = network_.take(*wire);
  EXPECT_THAT(all, HasSubstr("204 No Content"));
  EXPECT_THAT(all, EndsWith("abcde"));
  EXPECT_EQ(service_.stats().requests, 5u);
}

TEST_F(Http, CloseRidesOnTheLastSegment) {
  for (const char* target :
       {"/", "/bytes/0", "/bytes/1", "/bytes/257024", "/bytes/257025", "/bytes/1000000", "/status/204"}) {
    auto wire = network_.accept(80);
    network_.send(*wire, std::string("GET ") + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(wire->fin_on_data) << target;
    EXPECT_TRUE(wire->closed) << target;
    EXPECT_THAT(wire->from_service, HasSubstr("Connection: close\r\n"));
  }
}

TEST_F(Http, LargeBodiesFollowThePeersPace) {
  for (std::size_t window : {1u, 7u, 1000u, 300'000u}) {
    const std::size_t size = window == 1 ? 3000 : 700'000;
    auto wire = network_.accept(80, window);
    network_.send(*wire, "GET /bytes/" + std::to_string(size) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    std::string got;
    for (int i = 0; i < 2'000'000 && !wire->closed; ++i) got += network_.take(*wire);
    got += wire->from_service;
    EXPECT_EQ(body_of(got), counted(size)) << window;
    EXPECT_TRUE(wire->fin) << window;
    EXPECT_FALSE(wire->reset);
  }
}

TEST_F(Http, HeadHasLengthsAndNoBody) {
  const auto response = ask("HEAD /bytes/1000000000000 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(response, HasSubstr("Content-Length: 1000000000000\r\n"));
  EXPECT_EQ(body_of(response), "");
}

TEST_F(Http, OldClientsCloseUnlessTheyAskNotTo) {
  EXPECT_THAT(ask("GET / HTTP/1.0\r\n\r\n"), HasSubstr("Connection: close"));
  EXPECT_THAT(ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), HasSubstr("Connection: keep-alive"));
}

TEST_F(Http, Statuses) {
  EXPECT_THAT(ask("GET /status/418 HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 418"));
  EXPECT_THAT(ask("GET /status/503 HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(ask("GET /status/100 HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("GET /status/x HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(ask("GET /bytes/99999999999999999999 HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("GET /bytes/-1 HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"), StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(ask("GET /bytes/3?x=1 HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask("GET http://host/bytes/3 HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 200"));
}

TEST_F(Http, EverythingIsBounded) {
  EXPECT_THAT(ask("GET /" + std::string(3000, 'a') + " HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 414"));
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(20'000, 'a') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 16777217\r\n\r\n"), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n"),
              StartsWith("HTTP/1.1 400"));
}

TEST_F(Http, ARefusedUploadIsReadAwayBeforeTheEnd) {
  auto wire = network_.accept(80);
  network_.send(*wire, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n");
  EXPECT_TRUE(wire->fin);
  EXPECT_FALSE(wire->closed);  // closing now would reset the connection and lose the answer
  network_.send(*wire, std::string(100'000, 'x'));
  EXPECT_FALSE(wire->closed);
  EXPECT_TRUE(wire->to_service.empty());
  network_.send(*wire, std::string(2 << 20, 'x'));
  EXPECT_TRUE(wire->closed);
}

TEST_F(Http, EchoReturnsChunkedBodies) {
  EXPECT_EQ(body_of(ask("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")),
            "abcdefg");
  const auto big = counted(1'000'000);
  auto wire = network_.accept(80, 4000);
  network_.send(*wire, "PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + big);
  std::string got;
  while (body_of(got).size() < big.size()) got += network_.take(*wire);
  EXPECT_EQ(body_of(got), big);
}

TEST_F(Http, ContinueIsSentOnce) {
  auto wire = network_.accept(80);
  network_.send(*wire, "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n");
  EXPECT_EQ(network_.take(*wire), "HTTP/1.1 100 Continue\r\n\r\n");
  network_.send(*wire, "abc");
  network_.send(*wire, "def");
  const auto response = network_.take(*wire);
  EXPECT_THAT(response, StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(body_of(response), "abcdef");
}

TEST_F(Http, SlowTakesItsTime) {
  auto wire = network_.accept(80);
  network_.send(*wire, "GET /slow/100 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  std::string got = network_.take(*wire);
  EXPECT_EQ(body_of(got).size(), 10u);
  network_.advance(450ms);
  got += network_.take(*wire);
  EXPECT_EQ(body_of(got).size(), 50u);
  network_.advance(500ms);
  got += network_.take(*wire);
  EXPECT_EQ(body_of(got), counted(100));
  EXPECT_TRUE(wire->fin_on_data);
  EXPECT_TRUE(wire->closed);
}

TEST_F(Http, ASlowResponseMayBeAbandoned) {
  auto wire = network_.accept(80);
  network_.send(*wire, "GET /slow/100 HTTP/1.1\r\nHost: x\r\n\r\n");
  wire->observer->on_failed(stack::Error::ConnectionReset);
  network_.run();
  EXPECT_EQ(service_.stats().connections, 0u);
  network_.advance(2s);
  EXPECT_EQ(network_.timer_count(), 0u);
}

TEST_F(Http, AnUpgradeIsIgnored) {
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n"),
              StartsWith("HTTP/1.1 200"));
}

TEST_F(Http, IdleConnectionsEnd) {
  auto wire = network_.accept(80);
  network_.send(*wire, "GET / HT");
  network_.advance(70s);
  EXPECT_TRUE(wire->reset);
  EXPECT_EQ(service_.stats().connections, 0u);
}

}  // namespace
}  // namespace app::services
