#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "src/app/services/service.hpp"
#include "src/app/services/service_names.hpp"
#include "src/app/services/simple_service.hpp"
#include "tests/unit/src/app/services/fake_network.hpp"

namespace app::services {
namespace {

using namespace std::chrono_literals;

class SimpleServices : public testing::Test {
 protected:
  Service& start(const std::string& name) {
    service_ = make_service(name, *well_known_port(name), network_, default_owner(name));
    std::string error;
    EXPECT_TRUE(service_->start(error)) << error;
    return *service_;
  }
  FakeNetwork network_;
  std::unique_ptr<Service> service_;
  const stack::SocketAddress client_{*stack::IpAddress::parse("10.77.0.1"), 40000};
  const stack::SocketAddress local_{*stack::IpAddress::parse("10.77.0.2"), 7};
};

TEST_F(SimpleServices, EchoSendsBackWhatComes) {
  auto& service = start("echo");
  auto wire = network_.accept(7);
  network_.send(*wire, "hello");
  EXPECT_EQ(network_.take(*wire), "hello");
  network_.finish(*wire);
  EXPECT_TRUE(wire->closed);
  EXPECT_FALSE(wire->reset);
  EXPECT_EQ(service.stats().connections, 0u);
  EXPECT_EQ(service.stats().accepted, 1u);
}

TEST_F(SimpleServices, EchoReadsNoMoreThanItCanWrite) {
  start("echo");
  auto wire = network_.accept(7, 10);
  std::string data(300'000, 'x');
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 7);
  network_.send(*wire, data);
  EXPECT_GE(wire->to_service.size(), data.size() - 64 * 1024);  // the rest waits in the receive buffer
  network_.finish(*wire);
  std::string echoed;
  for (int i = 0; i < 100'000 && echoed.size() < data.size(); ++i) echoed += network_.take(*wire);
  EXPECT_EQ(echoed, data);
  EXPECT_TRUE(wire->closed);
}

TEST_F(SimpleServices, EchoAnswersDatagramsFromTheAddressAsked) {
  start("echo");
  network_.receive_datagram({"ping", client_, local_});
  network_.receive_datagram({"", client_, local_});
  ASSERT_EQ(network_.sent_datagrams.size(), 2u);
  EXPECT_EQ(network_.sent_datagrams[0].payload, "ping");
  EXPECT_EQ(network_.sent_datagrams[0].remote, client_);
  EXPECT_EQ(network_.sent_datagrams[0].local.address, local_.address);
}

TEST_F(SimpleServices, NothingGoesToPortsThatAnswerByThemselves) {
  start("echo");
  for (const std::uint16_t port : std::array<std::uint16_t, 4>{0, 7, 13, 19})
    network_.receive_datagram({"loop", {client_.address, port}, local_});
  EXPECT_TRUE(network_.sent_datagrams.empty());
  EXPECT_EQ(service_->stats().malformed, 4u);
}

TEST_F(SimpleServices, WhatWasSentToAllIsAnsweredByNone) {
  for (const char* name : {"echo", "daytime", "chargen"}) {
    start(name);
    network_.receive_datagram({"to all", client_, {*stack::IpAddress::parse("255.255.255.255"), 7}, true});
    EXPECT_TRUE(network_.sent_datagrams.empty()) << name;
    EXPECT_EQ(service_->stats().malformed, 1u);
  }
}

TEST_F(SimpleServices, DiscardTakesEverything) {
  start("discard");
  auto wire = network_.accept(9);
  network_.send(*wire, std::string(1 << 20, 'x'));
  EXPECT_TRUE(wire->to_service.empty());
  network_.receive_datagram({"x", client_, local_});
  EXPECT_TRUE(network_.sent_datagrams.empty());
  network_.finish(*wire);
  EXPECT_TRUE(wire->from_service.empty());
  EXPECT_TRUE(wire->closed);
}

TEST_F(SimpleServices, ChargenWritesItsPatternAtThePeersPace) {
  start("chargen");
  auto wire = network_.accept(19, 1000);
  std::string text;
  while (text.size() < 300'000) text += network_.take(*wire);
  EXPECT_EQ(text.substr(0, 4), " !\"#");
  EXPECT_EQ(text.substr(72, 4), "\r\n!\"");
  EXPECT_EQ(text.substr(0, 7030), text.substr(7030 * 40, 7030));
  network_.finish(*wire);
  EXPECT_TRUE(wire->closed);
}

TEST_F(SimpleServices, ChargenDoesNotAmplify) {
  start("chargen");
  network_.receive_datagram({"", client_, local_});
  network_.receive_datagram({std::string(2000, 'x'), client_, local_});
  ASSERT_EQ(network_.sent_datagrams.size(), 2u);
  EXPECT_EQ(network_.sent_datagrams[0].payload.size(), 74u);
  EXPECT_EQ(network_.sent_datagrams[1].payload.size(), 512u);
}

TEST_F(SimpleServices, DaytimeEndsWithItsLine) {
  start("daytime");
  auto wire = network_.accept(13);
  EXPECT_EQ(wire->from_service, "Tuesday, February 16, 1982 17:37:43-UTC\r\n");
  EXPECT_TRUE(wire->fin_on_data);
  EXPECT_FALSE(wire->closed);  // until the peer has finished too
  network_.finish(*wire);
  EXPECT_TRUE(wire->closed);
}

TEST_F(SimpleServices, IdleConnectionsEndAndTheSweepStops) {
  auto& service = start("echo");
  auto wire = network_.accept(7);
  network_.advance(50s);
  network_.send(*wire, "still here");
  network_.advance(50s);
  EXPECT_FALSE(wire->reset);
  network_.advance(15s);
  EXPECT_TRUE(wire->reset);
  EXPECT_EQ(service.stats().connections, 0u);
  EXPECT_EQ(network_.timer_count(), 0u);
}

TEST_F(SimpleServices, FailedConnectionsAreForgotten) {
  auto& service = start("echo");
  auto wire = network_.accept(7);
  wire->observer->on_failed(stack::Error::ConnectionReset);
  network_.run();
  EXPECT_EQ(service.stats().connections, 0u);
}

TEST_F(SimpleServices, ATakenPortIsNamed) {
  start("echo");
  auto second = make_service("discard", 7, network_, default_owner("discard"));
  std::string error;
  EXPECT_FALSE(second->start(error));
  EXPECT_THAT(error, testing::HasSubstr("discard"));
  EXPECT_THAT(error, testing::HasSubstr("7"));
}

TEST(Owner, DefaultsDifferByService) {
  const auto http = default_owner("http");
  EXPECT_EQ(http->process_path, u"\\device\\harddiskvolume1\\wfptap\\http");
  EXPECT_EQ(http->user_sid, "S-1-5-19");
  EXPECT_NE(http->process_id, default_owner("echo")->process_id);
}

TEST(Owner, PathsAreLowerCaseUtf16) {
  EXPECT_EQ(nt_path("\\Device\\A"), u"\\device\\a");
  EXPECT_EQ(nt_path("\xc3\xa4\xf0\x9f\x98\x80"), u"\u00e4\U0001f600");
  EXPECT_EQ(nt_path("a\xff\xc0\x80"), u"a\ufffd\ufffd\ufffd");
}

}  // namespace
}  // namespace app::services
