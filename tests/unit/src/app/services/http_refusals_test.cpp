// What the http service refuses, as RFC 9112 asks it to, whole and byte by byte; and how long a request may take.
#include "tests/unit/src/app/services/http_fixture.hpp"

namespace app::services {
namespace {

using namespace std::chrono_literals;
using testing::StartsWith;

const std::string kChunked = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

class HttpRefusals : public Http {
 protected:
  void expect_refused(const std::string& request, const char* status = "HTTP/1.1 400 ") {
    for (const bool bytewise : {false, true}) {
      auto wire = network_.accept(80);
      if (bytewise)
        for (const char c : request) network_.send(*wire, std::string(1, c));
      else
        network_.send(*wire, request);
      EXPECT_THAT(wire->from_service, StartsWith(status)) << request << (bytewise ? " byte by byte" : "");
      EXPECT_TRUE(wire->fin) << request;
      network_.finish(*wire);
      EXPECT_TRUE(wire->closed);
    }
  }
  void expect_echo(const std::string& request, const std::string& body) {
    for (const bool bytewise : {false, true}) {
      auto wire = network_.accept(80);
      if (bytewise)
        for (const char c : request) network_.send(*wire, std::string(1, c));
      else
        network_.send(*wire, request);
      const auto response = network_.take(*wire);
      EXPECT_THAT(response, StartsWith("HTTP/1.1 200 ")) << request;
      EXPECT_EQ(body_of(response), body) << request;
    }
  }
  static std::string with(const std::string& lines) { return "GET / HTTP/1.1\r\nHost: x\r\n" + lines + "\r\n"; }
  static std::string post(const std::string& lines, const std::string& body = "") {
    return "POST /echo HTTP/1.1\r\nHost: x\r\n" + lines + "\r\n" + body;
  }
};

TEST_F(HttpRefusals, WhatIsNoRequest) {
  expect_refused("\x16\x03\x01 hello");
  expect_refused("GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n");
  expect_refused("GET /a\tb HTTP/1.1\r\nHost: x\r\n\r\n");
  expect_refused("GET /\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n");
  expect_refused("GET / HTTP/3.7\r\nHost: x\r\n\r\n");
  expect_refused("GET /\r\n\r\n");
}

// RFC 9112 5.1: no whitespace between name and colon; 5.2: no continued lines; RFC 9110 5.6.2: names are tokens.
TEST_F(HttpRefusals, HeaderLinesThatAreNone) {
  expect_refused(with("X : 1\r\n"));
  expect_refused(with("X\t: 1\r\n"));
  expect_refused("GET / HTTP/1.1\r\nHost : x\r\n\r\n");
  expect_refused(with("X y: 1\r\n"));
  expect_refused(with("X(y): 1\r\n"));
  expect_refused(with("X: 1\r\n 2\r\n"));
  expect_refused(with("X: 1\r\n\t2\r\n"));
  expect_refused("GET / HTTP/1.1\r\n Host: x\r\n\r\n");
  expect_refused(with(": 1\r\n"));
}

// RFC 9112 2.2.
TEST_F(HttpRefusals, ACarriageReturnAlone) {
  expect_refused(with("X: 1\r2\r\n"));
  expect_refused(with("X: 1\r\r\n"));
  expect_refused("GET / HTTP/1.1\rHost: x\r\n\r\n");
  expect_refused(with("X: \r Y: 1\r\n"));
}

// RFC 9112 3.2.
TEST_F(HttpRefusals, OneHostAndNoMore) {
  expect_refused("GET / HTTP/1.1\r\n\r\n");
  expect_refused("GET / HTTP/1.1\r\nX-Host: x\r\n\r\n");
  expect_refused(with("Host: x\r\n"));
  expect_refused(with("hOST: y\r\n"));
  expect_refused("GET / HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n");
  expect_refused("GET / HTTP/1.1\r\nHost: a b\r\n\r\n");
  expect_refused("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n");
  expect_refused("GET / HTTP/1.1\r\nHost: user@a\r\n\r\n");
  for (const char* host : {"x", " x ", "", "10.77.0.2:80", "[fd77::2]:80", "a.b-c_d\t"})
    EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost:" + std::string(host) + "\r\n\r\n"), StartsWith("HTTP/1.1 200")) << host;
  EXPECT_THAT(ask("GET / HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 200"));
}

// RFC 9112 6.1 to 6.3.
TEST_F(HttpRefusals, LengthsThatTwoReadersUnderstandDifferently) {
  expect_refused(post("Content-Length: x\r\n"));
  expect_refused(post("Content-Length: +3\r\n", "abc"));
  expect_refused(post("Content-Length: 3, 3\r\n", "abc"));
  expect_refused(post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"));
  expect_refused(post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"));
  expect_refused(post("Content-Length: 3 4\r\n", "abcd"));
  expect_refused(post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"));
  expect_refused(post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"));
  expect_refused(post("Transfer-Encoding: gzip\r\n"));
  expect_refused(post("Transfer-Encoding: chunked, gzip\r\n"));
  expect_refused(post("Transfer-Encoding: xchunked\r\n"));
  expect_refused(post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"));
  expect_refused(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"));
  expect_refused(post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"));
  expect_refused("POST /echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  expect_refused(post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), "HTTP/1.1 501 ");
}

// RFC 9112 7.1.
TEST_F(HttpRefusals, ChunksThatAreNone) {
  expect_refused(kChunked + "5\r\nabcdeXY0\r\n\r\n");
  expect_refused(kChunked + "5\r\nabcde0\r\n\r\n");
  expect_refused(kChunked + "5\r\nabcde\n0\r\n\r\n");
  expect_refused(kChunked + "5\r\nabcde\rX0\r\n\r\n");
  expect_refused(kChunked + "5\rXabcde\r\n0\r\n\r\n");
  expect_refused(kChunked + "5\nabcde\r\n0\r\n\r\n");
  expect_refused(kChunked + "5;x\nabcde\r\n0\r\n\r\n");
  expect_refused(kChunked + "5 5\r\nabcde\r\n0\r\n\r\n");
  expect_refused(kChunked + " 5\r\nabcde\r\n0\r\n\r\n");
  expect_refused(kChunked + "0x5\r\nabcde\r\n0\r\n\r\n");
  expect_refused(kChunked + "-5\r\nabcde\r\n0\r\n\r\n");
  expect_refused(kChunked + "\r\nabcde\r\n0\r\n\r\n");
  expect_refused(kChunked + "fffffffffffffffff\r\nabcde\r\n0\r\n\r\n");
  expect_refused(kChunked + "0\r\nX : 1\r\n\r\n");
  expect_refused(kChunked + "0\r\nX: 1\r\n 2\r\n\r\n");
}

TEST_F(HttpRefusals, WhatIsAllowedIsTaken) {
  expect_echo(kChunked + "5\r\nabcde\r\n3;name=value\r\nfgh\r\n1 ; x\r\n!\r\n0\r\n\r\n", "abcdefgh!");
  expect_echo(kChunked + "00a\r\n0123456789\r\n0\r\nX: trailer\r\nHost: y\r\n\r\n", "0123456789");
  expect_echo(kChunked + "2\r\n\r\n\r\n0\r\n\r\n", "\r\n");
  expect_echo(post("transfer-encoding: CHUNKED \r\n", "0\r\n\r\n"), "");
  expect_echo(post("Content-Length: 3 \r\n", "abc"), "abc");
  expect_echo("\r\nPOST /echo HTTP/1.1\nHost: x\nX:\nContent-Length: 3\n\nabc", "abc");  // RFC 9112 2.2
}

TEST_F(HttpRefusals, AByteNowAndThenKeepsNoRequestAlive) {
  auto wire = network_.accept(80);
  network_.send(*wire, "GET / HTTP/1.1\r\nX: ");
  for (int i = 0; i < 5; ++i) {
    network_.advance(5s);
    network_.send(*wire, "x");
    EXPECT_EQ(wire->from_service, "");
  }
  network_.advance(7s);
  EXPECT_THAT(wire->from_service, StartsWith("HTTP/1.1 408 "));
  EXPECT_TRUE(wire->fin);
  network_.advance(5s);
  EXPECT_EQ(service_.stats().connections, 0u);
}

TEST_F(HttpRefusals, ABodyHasItsTimeToo) {
  auto wire = network_.accept(80);
  network_.send(*wire, post("Content-Length: 1000000\r\n"));
  for (int i = 0; i < 29; ++i) {
    network_.advance(10s);
    network_.send(*wire, "x");
  }
  EXPECT_EQ(wire->from_service, "");
  network_.advance(12s);
  EXPECT_THAT(wire->from_service, StartsWith("HTTP/1.1 408 "));
}

TEST_F(HttpRefusals, EachRequestOfAConnectionHasItsOwnTime) {
  auto wire = network_.accept(80);
  for (int i = 0; i < 5; ++i) {
    network_.send(*wire, "GET / HTTP/1.1\r\n");
    network_.advance(20s);
    network_.send(*wire, "Host: x\r\n\r\n");
    EXPECT_THAT(network_.take(*wire), StartsWith("HTTP/1.1 200"));
    network_.advance(40s);
  }
  EXPECT_FALSE(wire->fin || wire->reset);
}

}  // namespace
}  // namespace app::services
