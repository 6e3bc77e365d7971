// The engine as a driver meets it: the C functions over an engine, flows and a kernel on real threads.
// Callouts are free functions that record into the fixture; at teardown nothing of the driver may be alive.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "fwpmk.h"
#include "fwpsk.h"
#include "tests/support/fake_host.hpp"
#include "tests/unit/wfp/kernel/kernel_fixture.hpp"
#include "wfp/engine/engine.hpp"
#include "wfp/flow/flows.hpp"

namespace wfp::api {

inline GUID key(std::uint32_t number) { return {number, 0x1234, 0x5678, {0, 0, 0, 0, 0, 0, 0, 1}}; }
inline constexpr std::uint16_t kLayer = FWPS_LAYER_OUTBOUND_TRANSPORT_V4;

class ManagementApi : public kernel::KernelTest {
 protected:
  void SetUp() override {
    start(kernel::Mode::Real);
    engine = std::make_unique<engine::Engine>(host, kernel->scheduler());
    flows = std::make_unique<flow::Flows>(engine->callouts(), host);
    engine->set_flows(flows.get());
    scope = std::make_unique<ledger::DriverScope>(driver);
    ASSERT_EQ(FwpmEngineOpen0(nullptr, RPC_C_AUTHN_WINNT, nullptr, nullptr, &session), STATUS_SUCCESS);
  }
  void TearDown() override {
    if (session != nullptr) {
      EXPECT_EQ(FwpmEngineClose0(session), STATUS_SUCCESS);
    }
    EXPECT_EQ(ledger::alive(driver).total(), 0u);
    scope.reset();
    on_classify = nullptr;
    deleted.clear();
    notices.clear();
    notify_status = STATUS_SUCCESS;
    flows.reset();
    engine.reset();
    KernelTest::TearDown();
  }

  // --- the callout ---
  static void NTAPI classify3(const FWPS_INCOMING_VALUES0* values, const FWPS_INCOMING_METADATA_VALUES0*, void*,
                              const void*, const FWPS_FILTER3* filter, UINT64 context, FWPS_CLASSIFY_OUT0* out) {
    EXPECT_EQ(values->layerId, kLayer);
    EXPECT_EQ(kernel::current_irql(), DISPATCH_LEVEL);
    if (on_classify) on_classify(*filter, context, *out);
  }
  static void NTAPI classify0(const FWPS_INCOMING_VALUES0*, const FWPS_INCOMING_METADATA_VALUES0*, void*,
                              const FWPS_FILTER0* filter, UINT64 context, FWPS_CLASSIFY_OUT0* out) {
    if (on_classify) on_classify(*reinterpret_cast<const FWPS_FILTER3*>(filter), context, *out);
  }
  static NTSTATUS NTAPI notify3(FWPS_CALLOUT_NOTIFY_TYPE type, const GUID* filter_key, FWPS_FILTER3* filter) {
    notices.push_back({type, filter_key != nullptr, filter->filterId});
    if (type == FWPS_CALLOUT_NOTIFY_ADD_FILTER) filter->context = 0xc0ffee;
    return notify_status;
  }
  static NTSTATUS NTAPI notify0(FWPS_CALLOUT_NOTIFY_TYPE, const GUID*, FWPS_FILTER0*) { return STATUS_SUCCESS; }
  static void NTAPI flow_delete(UINT16 layer, UINT32, UINT64 context) {
    EXPECT_EQ(layer, kLayer);
    deleted.push_back(context);
  }
  UINT32 register_callout(const GUID& callout_key, UINT32 flags = 0) {
    const FWPS_CALLOUT3 callout{callout_key, flags, &classify3, &notify3, &flow_delete};
    UINT32 id = 0;
    EXPECT_EQ(FwpsCalloutRegister3(this, &callout, &id), STATUS_SUCCESS);
    return id;
  }

  // --- objects ---
  NTSTATUS add_callout(const GUID& callout_key, UINT32* id = nullptr,
                       const GUID& layer = FWPM_LAYER_OUTBOUND_TRANSPORT_V4) {
    FWPM_CALLOUT0 callout{};
    callout.calloutKey = callout_key;
    callout.displayData.name = name;
    callout.applicableLayer = layer;
    return FwpmCalloutAdd0(session, &callout, nullptr, id);
  }
  FWPM_FILTER0 filter(FWP_ACTION_TYPE action, const GUID& callout_key = {}) {
    FWPM_FILTER0 out{};
    out.displayData.name = name;
    out.layerKey = FWPM_LAYER_OUTBOUND_TRANSPORT_V4;
    out.action.type = action;
    out.action.calloutKey = callout_key;
    return out;
  }
  UINT64 add(const FWPM_FILTER0& what) {
    UINT64 id = 0;
    EXPECT_EQ(FwpmFilterAdd0(session, &what, nullptr, &id), STATUS_SUCCESS);
    return id;
  }

  engine::ClassifyResult classify(UINT16 remote_port = 80, std::uint64_t flow = 0) {
    std::array<FWPS_INCOMING_VALUE0, FWPS_FIELD_OUTBOUND_TRANSPORT_V4_MAX> fields{};
    auto& protocol = fields[FWPS_FIELD_OUTBOUND_TRANSPORT_V4_IP_PROTOCOL].value;
    protocol.type = FWP_UINT8;
    protocol.uint8 = 6;
    auto& port = fields[FWPS_FIELD_OUTBOUND_TRANSPORT_V4_IP_REMOTE_PORT].value;
    port.type = FWP_UINT16;
    port.uint16 = remote_port;
    auto& address = fields[FWPS_FIELD_OUTBOUND_TRANSPORT_V4_IP_REMOTE_ADDRESS].value;
    address.type = FWP_UINT32;
    address.uint32 = 0x0a4d0001;
    FWPS_INCOMING_VALUES0 values{kLayer, static_cast<UINT32>(fields.size()), fields.data()};
    FWPS_INCOMING_METADATA_VALUES0 metadata{};
    engine::ClassifyInput input;
    input.values = &values;
    input.metadata = &metadata;
    input.flow = flow;
    return engine->classify(input);
  }

  struct Notice {
    FWPS_CALLOUT_NOTIFY_TYPE type;
    bool has_key;
    UINT64 filter;
  };
  static inline std::function<void(const FWPS_FILTER3&, UINT64, FWPS_CLASSIFY_OUT0&)> on_classify;
  static inline std::vector<Notice> notices;
  static inline std::vector<UINT64> deleted;
  static inline NTSTATUS notify_status = STATUS_SUCCESS;

  WCHAR name[5] = {'t', 'e', 's', 't', 0};
  FakeHost host;
  std::unique_ptr<engine::Engine> engine;
  std::unique_ptr<flow::Flows> flows;
  std::unique_ptr<ledger::DriverScope> scope;
  HANDLE session = nullptr;
};

}  // namespace wfp::api
