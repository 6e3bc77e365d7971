// The Fwps functions over packets, as a driver calls them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fwpsk.h"
#include "nt/ntstatus.h"
#include "tests/unit/wfp/take_rules.hpp"
#include "wfp/kernel/irql.hpp"
#include "wfp/ledger/violation.hpp"
#include "wfp/ndis/chain.hpp"
#include "wfp/ndis/nbl_pool.hpp"
#include "wfp/ndis/offsets.hpp"

namespace wfp::ndis {
namespace {

using testing::ElementsAre;

class FwpsNblTest : public testing::Test {
 protected:
  FwpsNblTest() {
    ledger::reset();
    ledger::set_level(ledger::Level::standard);
    driver_ = ledger::add_driver("driver");
    packet_ = pool_.allocate(64, 100);
  }
  ~FwpsNblTest() override {
    release(*packet_);
    EXPECT_EQ(pool_.in_use(), 0u);
    EXPECT_EQ(ledger::alive(driver_).total(), 0u);
    ledger::reset();
  }

  NblPool pool_{16};
  ledger::DriverId driver_ = ledger::kNoDriver;
  NET_BUFFER_LIST* packet_ = nullptr;
};

TEST_F(FwpsNblTest, ReferenceKeepsThePacketAndIsAccounted) {
  const ledger::DriverScope scope(driver_);
  FwpsReferenceNetBufferList0(packet_, FALSE);
  FwpsReferenceNetBufferList0(packet_, TRUE);
  EXPECT_EQ(reference_count(*packet_), 3u);
  EXPECT_EQ(ledger::alive_count(driver_, ledger::Kind::nbl_reference), 2u);
  FwpsDereferenceNetBufferList0(packet_, FALSE);
  FwpsDereferenceNetBufferList0(packet_, TRUE);
  EXPECT_EQ(reference_count(*packet_), 1u);
  EXPECT_THAT(ledger::take_rules(), ElementsAre());
}

// In a DPC, after the stack has let go of the packet and with a clone still out.
TEST_F(FwpsNblTest, RetreatThatIsNotUndoneIsNamedAtTheLastDereference) {
  const ledger::DriverScope scope(driver_);
  for (const bool undoes : {true, false}) {
    NET_BUFFER_LIST* const packet = pool_.allocate(64, 100);
    FwpsReferenceNetBufferList0(packet, TRUE);
    FwpsReferenceNetBufferList0(packet, TRUE);
    EXPECT_EQ(NdisRetreatNetBufferDataStart(packet->FirstNetBuffer, 20, 0, nullptr), NDIS_STATUS_SUCCESS);
    NET_BUFFER_LIST* copy = nullptr;
    ASSERT_EQ(FwpsAllocateCloneNetBufferList0(packet, nullptr, nullptr, 0, &copy), STATUS_SUCCESS);
    FwpsDereferenceNetBufferList0(packet, FALSE);  // the stack and a reference still hold it
    EXPECT_THAT(ledger::take_rules(), ElementsAre());
    release(*packet);
    if (undoes) NdisAdvanceNetBufferListDataStart(packet, 20, FALSE, nullptr);
    FwpsDereferenceNetBufferList0(packet, FALSE);
    const auto found = ledger::take_messages();
    EXPECT_EQ(found.size(), undoes ? 0u : 1u);
    for (const auto& message : found) EXPECT_THAT(message, testing::HasSubstr("20 bytes too far back"));
    FwpsFreeCloneNetBufferList0(copy, 0);
  }
}

// What the stack itself does to the data start of a packet that it goes on with is no fault of the driver.
TEST_F(FwpsNblTest, WhatTheStackMovesIsNotTheDriversFault) {
  const ledger::DriverScope scope(driver_);
  NET_BUFFER_LIST* const packet = pool_.allocate(64, 100);
  FwpsReferenceNetBufferList0(packet, FALSE);
  ASSERT_TRUE(retreat(*packet, 20));
  release(*packet);
  FwpsDereferenceNetBufferList0(packet, FALSE);
  EXPECT_THAT(ledger::take_rules(), ElementsAre());
}

TEST_F(FwpsNblTest, DereferenceTooOftenIsNamedAndTakesNothing) {
  const ledger::DriverScope scope(driver_);
  FwpsReferenceNetBufferList0(packet_, FALSE);
  FwpsDereferenceNetBufferList0(packet_, FALSE);
  FwpsDereferenceNetBufferList0(packet_, FALSE);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(testing::MatchesRegex("NBL-DOUBLE-FREE: .*NET_BUFFER_LIST 0x.*")));
  EXPECT_EQ(reference_count(*packet_), 1u);  // the stack's own is untouched
}

TEST_F(FwpsNblTest, ListFromAPoolHasTheContextThatThePoolPromised) {
  const ledger::DriverScope scope(driver_);
  NET_BUFFER_LIST_POOL_PARAMETERS parameters{};
  parameters.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                       NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1};
  parameters.fAllocateNetBuffer = TRUE;
  parameters.ContextSize = 64;
  const NDIS_HANDLE pool = NdisAllocateNetBufferListPool(nullptr, &parameters);
  ASSERT_NE(pool, nullptr);
  NET_BUFFER_LIST* list = nullptr;
  ASSERT_EQ(FwpsAllocateNetBufferAndNetBufferList0(pool, 16, 0, nullptr, 0, 0, &list), STATUS_SUCCESS);
  ASSERT_NE(list->Context, nullptr);
  EXPECT_EQ(list->Context->Size, 64u);
  FwpsFreeNetBufferList0(list);
  NdisFreeNetBufferListPool(pool);
  EXPECT_THAT(ledger::take_rules(), ElementsAre());
}

TEST_F(FwpsNblTest, CloneFromNoPoolInheritsOffloadAndIsFreedOnce) {
  NDIS_TCP_LARGE_SEND_OFFLOAD_NET_BUFFER_LIST_INFO large{};
  large.LsoV2Transmit.MSS = 1000;
  packet_->NetBufferListInfo[TcpLargeSendNetBufferListInfo] = large.Value;
  const ledger::DriverScope scope(driver_);
  NET_BUFFER_LIST* copy = nullptr;
  ASSERT_EQ(FwpsAllocateCloneNetBufferList0(packet_, nullptr, nullptr, 0, &copy), STATUS_SUCCESS);
  EXPECT_EQ(copy->NetBufferListInfo[TcpLargeSendNetBufferListInfo], large.Value);
  EXPECT_EQ(copy->ParentNetBufferList, packet_);
  FwpsFreeCloneNetBufferList0(copy, 0);
  FwpsFreeCloneNetBufferList0(copy, 0);
  EXPECT_THAT(ledger::take_rules(), ElementsAre("NBL-DOUBLE-FREE"));
  EXPECT_EQ(packet_->ChildRefCount, 0);
}

TEST_F(FwpsNblTest, AllocatedListIsTheDriversOwn) {
  const ledger::DriverScope scope(driver_);
  char memory[64] = {};
  MDL* const mdl = IoAllocateMdl(memory, sizeof(memory), FALSE, FALSE, nullptr);
  NET_BUFFER_LIST* nbl = nullptr;
  ASSERT_EQ(FwpsAllocateNetBufferAndNetBufferList0(nullptr, 0, 0, mdl, 4, 60, &nbl), STATUS_SUCCESS);
  EXPECT_EQ(origin(*nbl), Origin::driver);
  EXPECT_EQ(data_length(*nbl), 60u);
  FwpsFreeNetBufferList0(nbl);
  IoFreeMdl(mdl);
  EXPECT_THAT(ledger::take_rules(), ElementsAre());
}

TEST_F(FwpsNblTest, BadArgumentsAreRefused) {
  NET_BUFFER_LIST* nbl = nullptr;
  int not_a_pool = 0;
  EXPECT_EQ(FwpsAllocateCloneNetBufferList0(nullptr, nullptr, nullptr, 0, &nbl), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(FwpsAllocateCloneNetBufferList0(packet_, nullptr, nullptr, 0, nullptr), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(FwpsAllocateCloneNetBufferList0(packet_, &not_a_pool, nullptr, 0, &nbl), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(FwpsAllocateNetBufferAndNetBufferList0(nullptr, 0, 0, nullptr, 0, 0, nullptr), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(nbl, nullptr);
}

TEST_F(FwpsNblTest, CallAboveDispatchLevelIsReported) {
  const kernel::IrqlScope scope(DISPATCH_LEVEL + 1);
  FwpsReferenceNetBufferList0(packet_, FALSE);
  FwpsDereferenceNetBufferList0(packet_, FALSE);
  EXPECT_EQ(ledger::take_rules().size(), 1u + 1u);
}

}  // namespace
}  // namespace wfp::ndis
