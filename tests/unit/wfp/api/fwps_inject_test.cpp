// The C functions over injections, flows and pends: arguments, statuses, IRQL.
#include "tests/unit/wfp/inject/fixture.hpp"

#include "fwpsk.h"

namespace wfp::inject {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class FwpsInjectTest : public InjectTest {
 protected:
  static void NTAPI done(void* context, NET_BUFFER_LIST* nbl, BOOLEAN) {
    ++*static_cast<int*>(context);
    ndis::release(*nbl);
  }
  int done_count = 0;
};
INSTANTIATE_BOTH(FwpsInjectTest);

TEST_P(FwpsInjectTest, AHandleInjectsTellsItsStateAndIsDestroyed) {
  const ledger::DriverScope scope(driver);
  HANDLE handle = nullptr;
  EXPECT_EQ(FwpsInjectionHandleCreate0(AF_INET, FWPS_INJECTION_TYPE_NETWORK, nullptr), STATUS_FWP_NULL_POINTER);
  EXPECT_EQ(FwpsInjectionHandleCreate0(AF_INET, 0x8000, &handle), STATUS_INVALID_PARAMETER);
  ASSERT_EQ(FwpsInjectionHandleCreate0(AF_INET, FWPS_INJECTION_TYPE_NETWORK, &handle), STATUS_SUCCESS);
  EXPECT_EQ(ledger::alive_count(driver, ledger::Kind::injection_handle), 1u);
  NET_BUFFER_LIST* const nbl = make_packet();
  EXPECT_EQ(FwpsInjectNetworkSendAsync0(handle, nullptr, 1, 1, nbl, done, &done_count), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(FwpsInjectNetworkSendAsync0(handle, nullptr, 0, 1, nbl, nullptr, nullptr), STATUS_FWP_NULL_POINTER);
  ASSERT_EQ(FwpsInjectNetworkReceiveAsync0(handle, to_windows(9), 0, 1, 7, 8, nbl, done, &done_count),
            STATUS_SUCCESS);
  HANDLE context = nullptr;
  EXPECT_EQ(FwpsQueryPacketInjectionState0(handle, nbl, &context), FWPS_PACKET_INJECTED_BY_SELF);
  EXPECT_EQ(context, to_windows(9));
  turn();
  ASSERT_EQ(host.injected.size(), 1u);
  EXPECT_EQ(host.injected[0].interface_index, 7u);
  EXPECT_EQ(host.injected[0].sub_interface_index, 8u);
  host.finish_all();
  turn();
  EXPECT_EQ(done_count, 1);
  EXPECT_EQ(FwpsInjectionHandleDestroy0(handle), STATUS_SUCCESS);
  EXPECT_EQ(FwpsInjectionHandleDestroy0(handle), STATUS_FWP_INJECT_HANDLE_STALE);
  EXPECT_EQ(ledger::alive_count(driver, ledger::Kind::injection_handle), 0u);
  EXPECT_THAT(ledger::take_messages(),
              ElementsAre(HasSubstr("flags is reserved"), HasSubstr("completionFn is NULL")));
}

TEST_P(FwpsInjectTest, ATransportSendNamesItsEndpointAndRemote) {
  UCHAR remote[4] = {10, 77, 0, 1};
  FWPS_TRANSPORT_SEND_PARAMS0 arguments{};
  NET_BUFFER_LIST* const nbl = make_packet(0x12);
  const HANDLE handle = to_windows(transport);
  EXPECT_EQ(FwpsInjectTransportSendAsync0(handle, nullptr, 55, 0, &arguments, AF_INET, 1, nbl, done, &done_count),
            STATUS_FWP_NULL_POINTER);
  arguments.remoteAddress = remote;
  arguments.remoteScopeId.Value = 5;
  EXPECT_EQ(FwpsInjectTransportSendAsync0(handle, nullptr, 55, 0, &arguments, 99, 1, nbl, done, &done_count),
            STATUS_INVALID_PARAMETER);
  EXPECT_THAT(ledger::take_messages(),
              ElementsAre(HasSubstr("remoteAddress is NULL"), HasSubstr("neither AF_INET nor AF_INET6")));
  ASSERT_EQ(FwpsInjectTransportSendAsync0(handle, nullptr, 55, 0, &arguments, AF_INET, 1, nbl, done, &done_count),
            STATUS_SUCCESS);
  turn();
  ASSERT_EQ(host.injected.size(), 1u);
  EXPECT_EQ(host.injected[0].endpoint, 55u);
  EXPECT_EQ(host.injected[0].remote_address[1], 77u);
  EXPECT_EQ(host.injected[0].remote_scope_id, 5u);
  host.finish_all();
  turn();
  EXPECT_EQ(done_count, 1);
}

TEST_P(FwpsInjectTest, AHeaderOfTheCallersOwnIsNotSupported) {
  UCHAR remote[4] = {10, 77, 0, 1};
  FWPS_TRANSPORT_SEND_PARAMS1 arguments{};
  arguments.remoteAddress = remote;
  arguments.headerIncludeHeaderLength = 20;
  NET_BUFFER_LIST* const nbl = make_packet();
  const HANDLE handle = to_windows(transport);
  EXPECT_EQ(FwpsInjectTransportSendAsync1(handle, nullptr, 55, 0, &arguments, AF_INET, 1, nbl, done, &done_count),
            STATUS_NOT_SUPPORTED);
  arguments.headerIncludeHeaderLength = 0;
  EXPECT_EQ(FwpsInjectTransportSendAsync1(handle, nullptr, 55, 0, &arguments, AF_INET, 1, nbl, done, &done_count),
            STATUS_SUCCESS);
  turn();
  host.finish_all();
  turn();
  EXPECT_EQ(done_count, 1);
}

TEST_P(FwpsInjectTest, DestroyingAboveItsIrqlIsNamed) {
  const kernel::IrqlScope level(DISPATCH_LEVEL);
  EXPECT_EQ(FwpsInjectionHandleDestroy0(to_windows(network)), STATUS_SUCCESS);
  EXPECT_THAT(ledger::take_rules(), ElementsAre("IRQL-TOO-HIGH"));
}

TEST_P(FwpsInjectTest, WithoutThePlatformNothingIsReady) {
  NET_BUFFER_LIST* const nbl = make_packet();
  EXPECT_EQ(FwpsFlowAssociateContext0(1, 2, 3, 4), STATUS_FWP_TCPIP_NOT_READY);
  HANDLE context = nullptr;
  EXPECT_EQ(FwpsPendOperation0(to_windows(1), &context), STATUS_FWP_TCPIP_NOT_READY);
  EXPECT_EQ(FwpsInjectForwardAsync0(to_windows(transport), nullptr, 0, AF_INET, 1, 1, nbl, done, &done_count),
            STATUS_FWP_TCPIP_NOT_READY);
  ndis::release(*nbl);
}

}  // namespace
}  // namespace wfp::inject
