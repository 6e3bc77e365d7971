#include "src/shim/discard_reason.hpp"

#include <gtest/gtest.h>

#include "nt/ntstatus.h"

namespace shim {
namespace {

using stack::Drop;

TEST(DiscardReason, AClosedPortIsTheTransportsForTcpAndTheNetworksForUdp) {
  const auto tcp = discard_reason(Drop::NoEndpoint, true);
  EXPECT_EQ(tcp.module, FWPS_DISCARD_MODULE_TRANSPORT);
  EXPECT_EQ(tcp.reason, static_cast<std::uint32_t>(InetDiscardEndpointNotFound));
  const auto udp = discard_reason(Drop::NoEndpoint, false);
  EXPECT_EQ(udp.module, FWPS_DISCARD_MODULE_NETWORK);
  EXPECT_EQ(udp.reason, static_cast<std::uint32_t>(IpDiscardPortUnreachable));
}

TEST(DiscardReason, PolicyIsGeneralEverywhere) {
  for (const bool at_transport : {false, true}) {
    const auto reason = discard_reason(Drop::Blocked, at_transport);
    EXPECT_EQ(reason.module, FWPS_DISCARD_MODULE_GENERAL);
    EXPECT_EQ(reason.reason, static_cast<std::uint32_t>(FWPS_DISCARD_FIREWALL_POLICY));
  }
}

TEST(DiscardReason, EveryDropHasAReasonInTheRangeOfItsModule) {
  for (std::size_t i = 0; i < stack::kDropCount; ++i) {
    for (const bool at_transport : {false, true}) {
      const auto reason = discard_reason(static_cast<Drop>(i), at_transport);
      if (reason.module == FWPS_DISCARD_MODULE_NETWORK) {
        EXPECT_GE(reason.reason, 1u);
      }
      if (reason.module == FWPS_DISCARD_MODULE_TRANSPORT) {
        EXPECT_LE(reason.reason, 33u);
      }
    }
  }
}

TEST(DropStatus, OnlyAbsorbedIsNoFailure) {
  for (std::size_t i = 0; i < stack::kDropCount; ++i) {
    const auto drop = static_cast<Drop>(i);
    EXPECT_EQ(drop_status(drop) >= 0, drop == Drop::Absorbed) << name_of(drop);
  }
}

// An injection of a packet whose own headers are wrong: reports from the field have this status.
TEST(DropStatus, MalformedPacketsAreNotAccepted) {
  for (const auto drop : {Drop::BadHeaderLength, Drop::BadLength, Drop::BadVersion, Drop::BadChecksum,
                          Drop::TruncatedHeader, Drop::InjectionInvalid})
    EXPECT_EQ(drop_status(drop), static_cast<NTSTATUS>(0xc000021b)) << name_of(drop);
  EXPECT_EQ(drop_status(Drop::NotForUs), STATUS_UNSUCCESSFUL);
}

}  // namespace
}  // namespace shim
