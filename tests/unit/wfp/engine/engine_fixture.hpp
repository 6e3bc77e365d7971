// An engine on a real or simulated kernel, a host that only counts, and callouts made of lambdas.
#pragma once

#include "../kernel/kernel_fixture.hpp"
#include "fwpm/conditions.h"
#include "fwpm/sublayers.h"
#include "tests/unit/wfp/take_rules.hpp"
#include "wfp/engine/call_watch.hpp"
#include "wfp/engine/engine.hpp"
#include "wfp/ledger/driver_call.hpp"

namespace wfp::engine {

class FakeHost : public Host {
 public:
  void inject(const InjectRequest&) override {}
  void drop_looping(const InjectRequest&) override {}
  std::string describe(const InjectRequest&) const override { return {}; }
  void resume(std::uint64_t) override {}
  void abort_flow(std::uint64_t) override {}
  void layers_changed() override { ++changes; }
  void wake() override {}
  bool on_processor_thread() const override { return true; }
  std::int64_t now_ns() const override { return 0; }
  std::atomic<int> changes{0};
};

using ClassifyBody = std::function<void(const FWPS_FILTER3&, std::uint64_t context, FWPS_CLASSIFY_OUT0&)>;
using NotifyBody = std::function<NTSTATUS(FWPS_CALLOUT_NOTIFY_TYPE, FWPS_FILTER3&)>;
inline constexpr std::size_t kBodies = 4;
inline std::array<ClassifyBody, kBodies> classify_bodies;
inline std::array<NotifyBody, kBodies> notify_bodies;

template <std::size_t N>
void NTAPI classify_with(const FWPS_INCOMING_VALUES0*, const FWPS_INCOMING_METADATA_VALUES0*, void*, const void*,
                         const FWPS_FILTER3* filter, UINT64 context, FWPS_CLASSIFY_OUT0* out) {
  if (out->actionType == 0) out->actionType = FWP_ACTION_CONTINUE;  // unless the body says something else
  EXPECT_EQ(ledger::current_call(), ledger::CallKind::Classify);
  if (classify_bodies[N]) classify_bodies[N](*filter, context, *out);
}
template <std::size_t N>
NTSTATUS NTAPI notify_with(FWPS_CALLOUT_NOTIFY_TYPE type, const GUID*, FWPS_FILTER3* filter) {
  EXPECT_EQ(ledger::current_call(), ledger::CallKind::Notify);
  return notify_bodies[N] ? notify_bodies[N](type, *filter) : STATUS_SUCCESS;
}

inline GUID key_of(std::uint32_t number) { return {number, 0, 0, {0, 0, 0, 0, 0, 0, 0, 1}}; }

inline constexpr std::uint16_t kLayer = FWPS_LAYER_INBOUND_TRANSPORT_V4;

class EngineTest : public kernel::KernelTest {
 protected:
  void SetUp() override {
    start(kernel::Mode::Real);
    engine = std::make_unique<Engine>(host, kernel->scheduler());
    ASSERT_EQ(management().open({}, session), STATUS_SUCCESS);
  }
  void TearDown() override {
    for (auto& body : classify_bodies) body = nullptr;
    for (auto& body : notify_bodies) body = nullptr;
    engine.reset();
    KernelTest::TearDown();
  }
  Management& management() { return engine->management(); }

  template <std::size_t N>
  std::uint32_t register_callout(std::uint32_t key, std::uint32_t flags = 0) {
    Registration registration;
    registration.key = key_of(key);
    registration.version = 3;
    registration.flags = flags;
    registration.classify = reinterpret_cast<void (*)()>(&classify_with<N>);
    registration.notify = reinterpret_cast<void (*)()>(&notify_with<N>);
    registration.driver = driver;
    std::uint32_t id = 0;
    EXPECT_EQ(engine->callouts().add(registration, &id), STATUS_SUCCESS);
    engine->callouts_changed();
    return id;
  }
  NTSTATUS add_callout(std::uint32_t key, SessionId by, std::uint16_t layer = kLayer) {
    model::CalloutObject callout;
    callout.key = key_of(key);
    callout.name = u"callout";
    callout.layer = layer;
    return management().add(by, callout, nullptr);
  }
  void add_sublayer(std::uint32_t key, std::uint16_t weight) {
    model::SubLayer sublayer;
    sublayer.key = key_of(key);
    sublayer.name = u"sublayer";
    sublayer.weight = weight;
    ASSERT_EQ(management().add(session, sublayer), STATUS_SUCCESS);
  }
  static model::Filter filter(FWP_ACTION_TYPE action, std::uint32_t sublayer = 0, std::uint32_t callout = 0) {
    model::Filter out;
    out.name = u"filter";
    out.layer = kLayer;
    out.action = action;
    if (sublayer != 0) out.sublayer = key_of(sublayer);
    if (callout != 0) out.callout = key_of(callout);
    return out;
  }
  std::uint64_t add(const model::Filter& what) {
    std::uint64_t id = 0;
    EXPECT_EQ(management().add(session, what, &id), STATUS_SUCCESS);
    return id;
  }
  ClassifyResult classify(NET_BUFFER_LIST* packet = nullptr, std::uint32_t metadata_fields = 0) {
    std::array<FWPS_INCOMING_VALUE0, FWPS_FIELD_INBOUND_TRANSPORT_V4_MAX> fields{};
    FWPS_INCOMING_VALUES0 values{kLayer, static_cast<UINT32>(fields.size()), fields.data()};
    FWPS_INCOMING_METADATA_VALUES0 metadata{};
    metadata.currentMetadataValues = metadata_fields;
    fields[FWPS_FIELD_INBOUND_TRANSPORT_V4_IP_PROTOCOL].value.type = FWP_UINT8;
    fields[FWPS_FIELD_INBOUND_TRANSPORT_V4_IP_PROTOCOL].value.uint8 = 6;
    ClassifyInput input;
    input.values = &values;
    input.metadata = &metadata;
    input.packet = packet;
    input.layer_data = packet;
    return engine->classify(input);
  }

  FakeHost host;
  std::unique_ptr<Engine> engine;
  SessionId session = 0;
};

}  // namespace wfp::engine
