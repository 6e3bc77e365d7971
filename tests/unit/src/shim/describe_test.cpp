#include "src/shim/describe.hpp"

#include <gtest/gtest.h>

namespace shim {
namespace {

Facts facts(std::uint8_t protocol) {
  Facts facts;
  facts.protocol = protocol;
  facts.local = *stack::IpAddress::parse("10.77.0.2");
  facts.remote = *stack::IpAddress::parse("10.77.0.1");
  facts.local_port = 80;
  facts.remote_port = 50'001;
  return facts;
}

TEST(FactsDescriber, TcpHasFlagsAndPortsInTheDirectionOfThePacket) {
  Facts segment = facts(6);
  segment.tcp_flags = 0x12;
  segment.origin = stack::Origin::Received;
  EXPECT_EQ(FactsDescriber(segment).describe(), "TCP SYN ACK 10.77.0.1:50001 > 10.77.0.2:80 (received)");
  segment.direction = stack::Direction::Outbound;
  EXPECT_EQ(FactsDescriber(segment).describe(), "TCP SYN ACK 10.77.0.2:80 > 10.77.0.1:50001 (received)");
}

TEST(FactsDescriber, IcmpHasItsTypeAndNoPorts) {
  Facts echo = facts(1);
  echo.icmp_type = 8;
  EXPECT_EQ(FactsDescriber(echo).describe(), "ICMP 10.77.0.1 > 10.77.0.2 type 8");
}

TEST(FactsDescriber, AnotherProtocolHasItsNumber) {
  EXPECT_EQ(FactsDescriber(facts(47)).describe(), "protocol 47 10.77.0.1 > 10.77.0.2");
}

}  // namespace
}  // namespace shim
