#include "wfp/flow/flows.hpp"

#include "tests/support/classifying.hpp"
#include "tests/support/fake_host.hpp"
#include "tests/unit/wfp/kernel/kernel_fixture.hpp"
#include "wfp/ledger/driver_call.hpp"

namespace wfp::flow {
namespace {

using kernel::Mode;

constexpr std::uint16_t kLayer = FWPS_LAYER_INBOUND_TRANSPORT_V4;
constexpr std::uint16_t kOtherLayer = FWPS_LAYER_OUTBOUND_TRANSPORT_V4;

class FlowsTest : public kernel::BothSchedulers {
 protected:
  void SetUp() override {
    BothSchedulers::SetUp();
    engine = std::make_unique<engine::Engine>(host, scheduler());
    flows = std::make_unique<Flows>(engine->callouts(), host);
    engine->set_flows(flows.get());
    engine->callouts().set_flows(flows.get());
    callout = std::make_unique<Classifying>(*engine, kLayer, driver);
    ASSERT_EQ(callout->added, STATUS_SUCCESS);
    Classifying::deleted.clear();
    flow = flows->create({.address_family = 2, .protocol = 6});
  }
  void TearDown() override {
    Classifying::on_deleted = nullptr;
    EXPECT_EQ(flows->counts().contexts, 0u);
    EXPECT_EQ(ledger::alive_count(driver, ledger::Kind::flow_context), 0u);
    callout.reset();
    engine->set_flows(nullptr);
    flows.reset();
    engine.reset();
    KernelTest::TearDown();
  }
  NTSTATUS associate(std::uint64_t context, std::uint16_t layer = kLayer) {
    return flows->associate(flow, layer, callout->callout_id, context);
  }
  NTSTATUS remove(std::uint16_t layer = kLayer) { return flows->remove(flow, layer, callout->callout_id); }
  engine::ClassifyResult classify(std::function<void(std::uint64_t, FWPS_CLASSIFY_OUT0&)> body) {
    engine::ClassifyInput input;
    input.flow = flow;
    return callout->run(input, std::move(body));
  }

  FakeHost host;
  std::unique_ptr<engine::Engine> engine;
  std::unique_ptr<Flows> flows;
  std::unique_ptr<Classifying> callout;
  HandleValue flow = 0;
};
INSTANTIATE_BOTH(FlowsTest);

TEST_P(FlowsTest, AssociateAndRemove) {
  Classifying::on_deleted = [this] {
    EXPECT_EQ(kernel::current_irql(), DISPATCH_LEVEL);
    EXPECT_EQ(ledger::current_driver(), driver);
    EXPECT_EQ(ledger::current_call(), ledger::CallKind::FlowDelete);
    EXPECT_EQ(flows->counts().contexts, 0u);  // no lock is held
  };
  EXPECT_EQ(remove(), STATUS_UNSUCCESSFUL);
  EXPECT_EQ(associate(5), STATUS_SUCCESS);
  EXPECT_EQ(ledger::alive_count(driver, ledger::Kind::flow_context), 1u);
  EXPECT_EQ(associate(6), STATUS_OBJECT_NAME_EXISTS);
  EXPECT_EQ(flows->count_of(callout->callout_id), 1u);
  EXPECT_EQ(remove(kOtherLayer), STATUS_UNSUCCESSFUL);
  EXPECT_EQ(remove(), STATUS_SUCCESS);
  ASSERT_EQ(Classifying::deleted.size(), 1u);
  EXPECT_EQ(Classifying::deleted[0].context, 5u);
  EXPECT_EQ(Classifying::deleted[0].layer, kLayer);
  EXPECT_EQ(Classifying::deleted[0].callout, callout->callout_id);
  EXPECT_EQ(remove(), STATUS_UNSUCCESSFUL);
  EXPECT_EQ(flows->count_of(callout->callout_id), 0u);
}

TEST_P(FlowsTest, WhatCannotBeAssociated) {
  EXPECT_EQ(associate(0), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(flows->associate(flow + 1, kLayer, callout->callout_id, 5), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(flows->associate(flow, kLayer, 0xdead, 5), STATUS_INVALID_PARAMETER);
  engine::Registration no_delete;
  no_delete.key = {1, 2, 3, {4}};
  no_delete.classify = reinterpret_cast<void (*)()>(+[] {});
  std::uint32_t id = 0;
  ASSERT_EQ(engine->callouts().add(no_delete, &id), STATUS_SUCCESS);
  EXPECT_EQ(flows->associate(flow, kLayer, id, 5), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(engine->callouts().remove(id), STATUS_SUCCESS);
  flows->end(flow);
  EXPECT_FALSE(flows->is_alive(flow));
  EXPECT_EQ(associate(5), STATUS_INVALID_PARAMETER);
}

TEST_P(FlowsTest, TheEndDeletesEveryContextOnce) {
  EXPECT_EQ(associate(5), STATUS_SUCCESS);
  EXPECT_EQ(associate(6, kOtherLayer), STATUS_SUCCESS);
  flows->end(flow);
  flows->end(flow);
  EXPECT_EQ(Classifying::deleted.size(), 2u);
  EXPECT_EQ(remove(), STATUS_UNSUCCESSFUL);
  EXPECT_EQ(flows->counts().alive, 0u);
}

TEST_P(FlowsTest, AClassifySeesTheContextOfItsLayerOnly) {
  EXPECT_EQ(associate(6, kOtherLayer), STATUS_SUCCESS);
  classify([&](std::uint64_t context, FWPS_CLASSIFY_OUT0&) { EXPECT_EQ(context, 0u); });
  EXPECT_EQ(associate(5), STATUS_SUCCESS);
  classify([&](std::uint64_t context, FWPS_CLASSIFY_OUT0&) { EXPECT_EQ(context, 5u); });
  flows->end(flow);
}

TEST_P(FlowsTest, RemovalInsideAClassifyIsPendingAndFollowsIt) {
  EXPECT_EQ(associate(5), STATUS_SUCCESS);
  classify([&](std::uint64_t context, FWPS_CLASSIFY_OUT0&) {
    EXPECT_EQ(context, 5u);
    EXPECT_EQ(remove(), STATUS_PENDING);
    EXPECT_EQ(remove(), STATUS_UNSUCCESSFUL);
    EXPECT_EQ(associate(7), STATUS_OBJECT_NAME_EXISTS);
    EXPECT_TRUE(Classifying::deleted.empty());
    EXPECT_EQ(flows->count_of(callout->callout_id), 1u);
  });
  EXPECT_EQ(Classifying::deleted.size(), 1u);
  EXPECT_EQ(associate(7), STATUS_SUCCESS);
  flows->end(flow);
  EXPECT_EQ(Classifying::deleted.size(), 2u);
}

TEST_P(FlowsTest, AFlowThatEndsInsideAClassifyDeletesAfterIt) {
  EXPECT_EQ(associate(5), STATUS_SUCCESS);
  classify([&](std::uint64_t, FWPS_CLASSIFY_OUT0&) {
    flows->end(flow);
    EXPECT_FALSE(flows->is_alive(flow));
    EXPECT_TRUE(Classifying::deleted.empty());
  });
  EXPECT_EQ(Classifying::deleted.size(), 1u);
  const HandleValue next = flows->create({});
  EXPECT_NE(next, flow);
  EXPECT_EQ(next >> 32, flow >> 32);  // the slot is free again, under another generation
}

TEST_P(FlowsTest, ACalloutWithContextsIsBusy) {
  EXPECT_EQ(associate(5), STATUS_SUCCESS);
  EXPECT_EQ(engine->callouts().remove(callout->callout_id), STATUS_DEVICE_BUSY);
  EXPECT_EQ(remove(), STATUS_SUCCESS);
}

// A driver was unloaded with contexts: the next one under the same callout id neither sees nor deletes them.
TEST_P(FlowsTest, ForcedRemovalDropsTheContextsWithoutFlowDelete) {
  EXPECT_EQ(associate(5), STATUS_SUCCESS);
  EXPECT_EQ(associate(6, kOtherLayer), STATUS_SUCCESS);
  engine->callouts().remove_all_of(driver);
  EXPECT_EQ(flows->counts().contexts, 0u);
  EXPECT_EQ(flows->count_of(callout->callout_id), 0u);
  EXPECT_EQ(ledger::alive_count(driver, ledger::Kind::flow_context), 0u);

  const auto before = callout->callout_id;
  callout.reset();
  callout = std::make_unique<Classifying>(*engine, kLayer, driver);
  EXPECT_EQ(callout->callout_id, before);  // filters that name it find it again
  classify([&](std::uint64_t context, FWPS_CLASSIFY_OUT0&) { EXPECT_EQ(context, 0u); });
  EXPECT_EQ(associate(7), STATUS_SUCCESS);
  flows->end(flow);
  ASSERT_EQ(Classifying::deleted.size(), 1u);
  EXPECT_EQ(Classifying::deleted[0].context, 7u);
}

// The classify that still has the context leaves it after the next registration has come.
TEST_P(FlowsTest, AContextInUseIsDroppedWhenItsClassifyLeavesIt) {
  EXPECT_EQ(associate(5), STATUS_SUCCESS);
  const auto id = callout->callout_id;
  EXPECT_EQ(flows->enter(flow, kLayer, id), 5u);
  engine->callouts().remove_all_of(driver);
  callout.reset();
  callout = std::make_unique<Classifying>(*engine, kLayer, driver);
  EXPECT_EQ(flows->enter(flow, kLayer, id), 0u);
  flows->leave(flow, kLayer, id);
  EXPECT_TRUE(Classifying::deleted.empty());
  EXPECT_EQ(flows->counts().contexts, 0u);
}

TEST_P(FlowsTest, AbortReachesTheHostBetweenPackets) {
  EXPECT_EQ(flows->abort(flow + 1), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(flows->abort(flow), STATUS_SUCCESS);
  EXPECT_TRUE(host.aborted.empty());
  EXPECT_TRUE(flows->has_work());
  EXPECT_EQ(flows->run_aborts(), 1u);
  EXPECT_THAT(host.aborted, testing::ElementsAre(flow));
  EXPECT_FALSE(flows->has_work());
}

TEST_P(FlowsTest, ContextsAndAbortsAreBounded) {
  for (std::uint16_t layer = 0; layer < kMaxContextsPerFlow; ++layer) ASSERT_EQ(associate(5, layer), STATUS_SUCCESS);
  EXPECT_EQ(associate(5, kMaxContextsPerFlow), STATUS_INSUFFICIENT_RESOURCES);
  for (std::size_t i = 0; i < kMaxAborts; ++i) ASSERT_EQ(flows->abort(flow), STATUS_SUCCESS);
  EXPECT_EQ(flows->abort(flow), STATUS_INSUFFICIENT_RESOURCES);
  EXPECT_EQ(flows->run_aborts(), kMaxAborts);
  flows->end(flow);
}

TEST_P(FlowsTest, TheTableIsBounded) {
  std::size_t made = 1;
  while (flows->create({}) != 0) ++made;
  EXPECT_EQ(made, kMaxFlows);
  EXPECT_EQ(flows->counts().refused, 1u);
  EXPECT_EQ(flows->list(10).size(), 10u);
}

struct Remover {
  Flows* flows;
  HandleValue flow;
  std::uint32_t callout;
  std::atomic<int> removed{0};
  std::atomic<bool> stop{false};
};

void NTAPI remove_thread(void* context) {
  auto& self = *static_cast<Remover*>(context);
  for (int i = 0; i < 2000 && !self.stop; ++i) {
    const NTSTATUS status = self.flows->remove(self.flow, kLayer, self.callout);
    if (status != STATUS_UNSUCCESSFUL) ++self.removed;
    kernel::Kernel::current().scheduler().preemption_point();
  }
}

TEST_P(FlowsTest, RemovalFromAnotherThreadDeletesEachContextOnce) {
  Remover remover{.flows = flows.get(), .flow = flow, .callout = callout->callout_id};
  std::atomic<int> deletions{0};
  Classifying::on_deleted = [&] { ++deletions; };
  const HANDLE thread = start_thread(remove_thread, &remover);
  int associated = 0;
  for (int i = 0; i < 500; ++i) {
    if (associate(static_cast<std::uint64_t>(i) + 1) == STATUS_SUCCESS) ++associated;
    classify([&](std::uint64_t, FWPS_CLASSIFY_OUT0&) { scheduler().preemption_point(); });
  }
  remover.stop = true;
  EXPECT_EQ(join(thread), STATUS_SUCCESS);
  flows->end(flow);
  EXPECT_EQ(deletions, associated);
  EXPECT_EQ(flows->counts().contexts_deleted, flows->counts().contexts_associated);
}

}  // namespace
}  // namespace wfp::flow
