// The seam with a real engine on one side and hooks called by hand on the other: callouts that record what they are
// shown and answer as told.
#include "src/shim/shim.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <set>

#include "contexts.hpp"
#include "fwpsk.h"
#include "src/shim/discard_reason.hpp"
#include "stack/packet/packet_pool.hpp"
#include "wfp/kernel/kernel.hpp"
#include "wfp/kernel/sim_scheduler.hpp"
#include "wfp/ledger/violation.hpp"
#include "wfp/model/layer.hpp"
#include "wfp/ndis/clone.hpp"

namespace shim {
namespace {

using stack::Decision;
using stack::Family;
using stack::Hook;
using test::context;
using testing::ElementsAre;

// What a callout was shown, copied, and what it answers.
struct Shown {
  std::uint16_t layer = 0;
  FWPS_INCOMING_METADATA_VALUES0 metadata{};
  NET_BUFFER_LIST* packet = nullptr;
  std::uint32_t data_length = 0;
  std::uint32_t flags = 0;  // of the ALE layers that have them at the same place as RECV_ACCEPT
};
struct Answer {
  FWP_ACTION_TYPE action = FWP_ACTION_PERMIT;
  bool absorb = false;
  bool pend = false;
};
std::vector<Shown> shown;
std::map<std::uint16_t, Answer> answers;
HANDLE pended = nullptr;
NTSTATUS pend_status = STATUS_SUCCESS;  // what pending is expected to return

void NTAPI classify(const FWPS_INCOMING_VALUES0* values, const FWPS_INCOMING_METADATA_VALUES0* metadata, void* data,
                    const void*, const FWPS_FILTER1*, UINT64, FWPS_CLASSIFY_OUT0* out) {
  auto* packet = static_cast<NET_BUFFER_LIST*>(data);
  Shown s{values->layerId, *metadata, packet, 0, 0};
  if (packet != nullptr) s.data_length = NET_BUFFER_DATA_LENGTH(NET_BUFFER_LIST_FIRST_NB(packet));
  if (values->layerId == FWPS_LAYER_ALE_AUTH_CONNECT_V4)
    s.flags = values->incomingValue[FWPS_FIELD_ALE_AUTH_CONNECT_V4_FLAGS].value.uint32;
  shown.push_back(s);
  const Answer answer = answers[values->layerId];
  if (answer.pend) {
    EXPECT_EQ(wfp::ale::Pends::current()->pend(metadata->completionHandle, &pended), pend_status);
  }
  out->actionType = answer.action;
  if (answer.absorb) out->flags |= FWPS_CLASSIFY_OUT_FLAG_ABSORB;
  if (answer.action == FWP_ACTION_BLOCK) out->rights &= ~static_cast<UINT32>(FWPS_RIGHT_ACTION_WRITE);
}
NTSTATUS NTAPI notify(FWPS_CALLOUT_NOTIFY_TYPE, const GUID*, FWPS_FILTER1*) { return STATUS_SUCCESS; }

class NoInjector final : public stack::Injector {
 public:
  void receive(stack::Packet, stack::InterfaceIndex) override {}
  void send_transport(stack::Packet, stack::EndpointId, const stack::IpAddress&, std::uint8_t) override {}
  void send_network(stack::Packet) override {}
};
class Control final : public StackControl {
 public:
  void resume(stack::Ticket ticket) override {
    resumed.push_back(ticket);
    if (on_resume) on_resume(ticket);
  }
  void abort_flow(stack::FlowTag) override {}
  stack::EndpointId control_endpoint() const override { return stack::EndpointId::make(0, 1, 1); }
  std::uint8_t protocol_of(stack::EndpointId) const override { return 0; }
  bool has_interface(stack::InterfaceIndex) const override { return true; }
  void wake() override {}
  std::int64_t now_ns() const override { return 99; }
  std::vector<stack::Ticket> resumed;
  std::function<void(stack::Ticket)> on_resume;
};
class InlineExecutor final : public stack::Executor {
 public:
  void post(std::function<void()> task) override { task(); }
  bool is_own_thread() const override { return true; }
};
class Recorder final : public TraceSink {
 public:
  void classified(const TraceRecord& record) override { lines.push_back(line(record)); }
  static std::string line(const TraceRecord& r) {
    return std::string(r.layer_name) + " " + std::string(r.origin) + " " + std::string(r.action) +
           (r.absorb ? " absorb" : "") + (r.pended ? " pended" : "") + " " + std::string(r.injection_state);
  }
  std::vector<std::string> lines;
};

class ShimTest : public testing::Test {
 protected:
  void SetUp() override {
    wfp::ledger::reset();
    wfp::ledger::set_level(wfp::ledger::Level::standard);
    shown.clear();
    answers.clear();
    pend_status = STATUS_SUCCESS;
    auto scheduler = std::make_unique<wfp::kernel::SimScheduler>(clock_, 1, 1);
    scheduler->bind_processor(0);
    kernel_ = std::make_unique<wfp::kernel::Kernel>(std::move(scheduler));
    engine_ = std::make_unique<wfp::engine::Engine>(host_, kernel_->scheduler());
    flows_ = std::make_unique<wfp::flow::FlowTable>(engine_->callouts(), host_);
    engine_->set_flows(flows_.get());
    pends_ = std::make_unique<wfp::ale::Pends>(host_, kernel_->scheduler());
  }
  void start(ShimConfig config = {}) {
    shim_ = std::make_unique<Shim>(Platform{*engine_, *flows_, *pends_}, hooks_, host_, config);
    shim_->add_interface(2, kIfTypeEthernet);
  }
  void TearDown() override {
    remove_filters();
    unregister();
    shim_.reset();
    EXPECT_EQ(flows_->counts().alive, 0u);
    EXPECT_EQ(pends_->counts().open, 0u);
    pends_.reset();
    flows_.reset();
    engine_.reset();
    for (const auto& violation : wfp::ledger::violations())
      ADD_FAILURE() << violation.rule << ": " << violation.message;
    wfp::ledger::clear_violations();
    kernel_.reset();
    EXPECT_EQ(pool_.in_use(), 0u);
  }

  // A callout and its filter at a layer.
  void filter_at(std::uint16_t layer, UINT32 flags = FWP_CALLOUT_FLAG_ALLOW_RSC | FWP_CALLOUT_FLAG_ALLOW_URO) {
    auto& management = engine_->management();
    if (session_ == 0) {
      ASSERT_EQ(management.open({.name = u"test", .is_dynamic = true}, session_), STATUS_SUCCESS);
    }
    wfp::engine::Registration registration;
    registration.key = {0x7e57, layer, 0, {}};
    registration.version = 1;
    registration.flags = flags;
    registration.classify = reinterpret_cast<void (*)()>(&classify);
    registration.notify = reinterpret_cast<void (*)()>(&notify);
    UINT32 id = 0;
    ASSERT_EQ(engine_->callouts().add(registration, &id), STATUS_SUCCESS);
    engine_->callouts_changed();
    callouts_.push_back(id);
    wfp::model::CalloutObject object;
    object.key = registration.key;
    object.name = u"test";
    object.layer = layer;
    ASSERT_EQ(management.add(session_, object, nullptr), STATUS_SUCCESS);
    wfp::model::Filter filter;
    filter.name = u"test";
    filter.layer = layer;
    filter.action = FWP_ACTION_CALLOUT_TERMINATING;
    filter.callout = registration.key;
    std::uint64_t filter_id = 0;
    ASSERT_EQ(management.add(session_, filter, &filter_id), STATUS_SUCCESS);
  }
  void remove_filters() {
    if (session_ != 0) engine_->management().close(std::exchange(session_, 0));
  }
  void unregister() {
    for (const UINT32 id : std::exchange(callouts_, {})) EXPECT_EQ(engine_->callouts().remove(id), STATUS_SUCCESS);
    engine_->callouts_changed();
  }
  stack::Packet packet(std::size_t size = 30) { return pool_.allocate(size); }
  std::optional<stack::Packet> inspect(const stack::PacketContext& c) { return hooks_.inspect(packet(), c); }
  std::vector<std::uint16_t> layers() const {
    std::vector<std::uint16_t> out;
    for (const auto& s : shown) out.push_back(s.layer);
    return out;
  }

  NoInjector injector_;
  Control control_;
  InlineExecutor executor_;
  StackHost host_{injector_, control_, executor_};
  stack::Stats stats_;
  stack::Hooks hooks_{stats_};
  stack::PacketPool pool_{64};
  wfp::kernel::VirtualClock clock_;
  std::unique_ptr<wfp::kernel::Kernel> kernel_;
  std::unique_ptr<wfp::engine::Engine> engine_;
  std::unique_ptr<wfp::flow::FlowTable> flows_;
  std::unique_ptr<wfp::ale::Pends> pends_;
  std::unique_ptr<Shim> shim_;
  wfp::engine::SessionId session_ = 0;
  std::vector<UINT32> callouts_;
};

// --- arming ---

TEST_F(ShimTest, AFilterArmsItsHookAlone) {
  start();
  EXPECT_FALSE(hooks_.armed(Hook::TransportOut, Family::V4));
  filter_at(FWPS_LAYER_OUTBOUND_TRANSPORT_V4);
  EXPECT_TRUE(hooks_.armed(Hook::TransportOut, Family::V4));
  EXPECT_FALSE(hooks_.armed(Hook::TransportOut, Family::V6));
  EXPECT_FALSE(hooks_.armed(Hook::TransportIn, Family::V4));
  remove_filters();
  EXPECT_FALSE(hooks_.armed(Hook::TransportOut, Family::V4));
}

TEST_F(ShimTest, TracingArmsEverythingAndShowsIt) {
  start();
  Recorder recorder;
  shim_->set_trace(&recorder);
  auto c = context(Hook::TransportOut);
  c.origin = stack::Origin::TcpReset;
  EXPECT_TRUE(hooks_.armed(Hook::IpIn, Family::V6));
  EXPECT_TRUE(inspect(c).has_value());
  EXPECT_THAT(recorder.lines, ElementsAre("OUTBOUND_TRANSPORT_V4 tcp.reset permit none"));
  shim_->set_trace(nullptr);
  EXPECT_FALSE(hooks_.armed(Hook::IpIn, Family::V6));
}

TEST_F(ShimTest, ACalloutThatRefusesCoalescingTurnsItOff) {
  start();
  std::vector<bool> told;
  shim_->set_coalescing_handler([&](bool allowed) { told.push_back(allowed); });
  filter_at(FWPS_LAYER_INBOUND_TRANSPORT_V4, 0);
  EXPECT_TRUE(hooks_.segment_received());
  remove_filters();
  unregister();
  EXPECT_FALSE(hooks_.segment_received());
  EXPECT_THAT(told, ElementsAre(true, false, true));
}

// --- packets ---

TEST_F(ShimTest, APermittedPacketComesBack) {
  start();
  filter_at(FWPS_LAYER_INBOUND_TRANSPORT_V4);
  auto kept = inspect(context(Hook::TransportIn));
  ASSERT_TRUE(kept.has_value());
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_EQ(shown[0].packet, kept->nbl());
  EXPECT_EQ(shown[0].data_length, 30u);
  EXPECT_EQ(shown[0].metadata.currentMetadataValues, 0xc84u);
}

TEST_F(ShimTest, ABlockedPacketIsCountedAndShownAtTheDiscardTwin) {
  start();
  filter_at(FWPS_LAYER_INBOUND_TRANSPORT_V4);
  filter_at(FWPS_LAYER_INBOUND_TRANSPORT_V4_DISCARD);
  answers[FWPS_LAYER_INBOUND_TRANSPORT_V4] = {FWP_ACTION_BLOCK, false, false};
  EXPECT_FALSE(inspect(context(Hook::TransportIn)).has_value());
  EXPECT_THAT(layers(), ElementsAre(FWPS_LAYER_INBOUND_TRANSPORT_V4, FWPS_LAYER_INBOUND_TRANSPORT_V4_DISCARD));
  EXPECT_EQ(shown[1].metadata.currentMetadataValues, 0xc85u);
  EXPECT_EQ(shown[1].metadata.discardMetadata.discardModule, FWPS_DISCARD_MODULE_GENERAL);
  EXPECT_NE(shown[1].metadata.discardMetadata.filterId, 0u);
  EXPECT_EQ(stats_.dropped(stack::Drop::Blocked), 1u);
}

TEST_F(ShimTest, AnAbsorbedPacketLeavesWithoutADiscard) {
  start();
  filter_at(FWPS_LAYER_INBOUND_TRANSPORT_V4);
  filter_at(FWPS_LAYER_INBOUND_TRANSPORT_V4_DISCARD);
  answers[FWPS_LAYER_INBOUND_TRANSPORT_V4] = {FWP_ACTION_BLOCK, true, false};
  EXPECT_FALSE(inspect(context(Hook::TransportIn)).has_value());
  EXPECT_THAT(layers(), ElementsAre(FWPS_LAYER_INBOUND_TRANSPORT_V4));
  EXPECT_EQ(stats_.dropped(stack::Drop::Absorbed), 1u);
  EXPECT_EQ(stats_.dropped(stack::Drop::Blocked), 0u);
}

TEST_F(ShimTest, CorrectedMetadataGivesTheControlEndpoint) {
  start({.corrected_endpoint_metadata = true});
  filter_at(FWPS_LAYER_OUTBOUND_TRANSPORT_V6);
  EXPECT_TRUE(inspect(context(Hook::TransportOut, Family::V6)).has_value());
  EXPECT_EQ(shown[0].metadata.transportEndpointHandle, stack::EndpointId::make(0, 1, 1).value);
}

// --- discards ---

TEST_F(ShimTest, ABlockAtTheDiscardLayerSilencesTheAnswer) {
  start();
  filter_at(FWPS_LAYER_INBOUND_TRANSPORT_V4_DISCARD);
  const auto c = context(Hook::TransportIn);
  EXPECT_TRUE(hooks_.discard(packet(), stack::Drop::NoEndpoint, c));
  EXPECT_EQ(shown[0].metadata.discardMetadata.discardModule, FWPS_DISCARD_MODULE_TRANSPORT);
  EXPECT_EQ(shown[0].metadata.discardMetadata.discardReason, static_cast<UINT32>(InetDiscardEndpointNotFound));
  answers[FWPS_LAYER_INBOUND_TRANSPORT_V4_DISCARD] = {FWP_ACTION_BLOCK, false, false};
  EXPECT_FALSE(hooks_.discard(packet(), stack::Drop::NoEndpoint, c));
}

TEST_F(ShimTest, ADroppedPacketLearnsItsFate) {
  start();
  stack::Packet dropped = packet();
  const stack::Packet witness = dropped.share();
  hooks_.discard(std::move(dropped), stack::Drop::EndpointGone, context(Hook::TransportOut));
  EXPECT_EQ(witness.nbl()->Status, STATUS_CONNECTION_INVALID);
}

// --- authorization ---

TEST_F(ShimTest, WithoutFiltersEverythingIsAllowedAndFlowsExist) {
  start();
  const auto owner = test::http_owner();
  EXPECT_EQ(shim_->bind(test::operation(owner, stack::Direction::Inbound)).decision, Decision::Allow);
  stack::Packet syn = packet();
  const auto answer = shim_->accept(test::operation(owner, stack::Direction::Inbound), syn);
  EXPECT_EQ(answer.decision, Decision::Allow);
  EXPECT_NE(answer.flow, 0u);
  EXPECT_TRUE(syn);
  EXPECT_EQ(flows_->counts().alive, 1u);
  shim_->flow_ended(answer.flow);
}

TEST_F(ShimTest, AnAcceptShowsTheFlowThatItIsAbout) {
  start();
  filter_at(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4);
  const auto owner = test::http_owner();
  stack::Packet syn = packet();
  const auto answer = shim_->accept(test::operation(owner, stack::Direction::Inbound), syn);
  EXPECT_EQ(answer.decision, Decision::Allow);
  EXPECT_EQ(shown[0].metadata.flowHandle, answer.flow);
  EXPECT_NE(shown[0].metadata.completionHandle, nullptr);
  shim_->flow_ended(answer.flow);
}

TEST_F(ShimTest, ADeniedAcceptEndsItsFlowAndTakesThePacket) {
  start();
  filter_at(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4);
  filter_at(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4_DISCARD);
  answers[FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4] = {FWP_ACTION_BLOCK, false, false};
  const auto owner = test::http_owner();
  stack::Packet syn = packet();
  EXPECT_EQ(shim_->accept(test::operation(owner, stack::Direction::Inbound), syn).decision, Decision::Deny);
  EXPECT_FALSE(syn);
  EXPECT_EQ(stats_.dropped(stack::Drop::AuthorizationDenied), 1u);
  EXPECT_EQ(layers().back(), FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4_DISCARD);
}

TEST_F(ShimTest, APendedAcceptWaitsUnderATicket) {
  start();
  Recorder recorder;
  shim_->set_trace(&recorder);
  filter_at(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4);
  answers[FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4] = {FWP_ACTION_BLOCK, true, true};
  const auto owner = test::http_owner();
  stack::Packet syn = packet();
  const auto answer = shim_->accept(test::operation(owner, stack::Direction::Inbound), syn);
  EXPECT_EQ(answer.decision, Decision::Later);
  EXPECT_NE(answer.ticket, 0u);
  EXPECT_FALSE(syn);
  EXPECT_EQ(flows_->counts().alive, 0u);
  pends_->complete(pended);
  EXPECT_THAT(control_.resumed, ElementsAre(answer.ticket));
  EXPECT_THAT(recorder.lines, ElementsAre("ALE_AUTH_RECV_ACCEPT_V4 unknown block absorb pended none"));
  shim_->set_trace(nullptr);
}

// Completing it makes the stack ask again, about the same flow.
TEST_F(ShimTest, APendedConnectIsReauthorized) {
  start();
  filter_at(FWPS_LAYER_ALE_AUTH_CONNECT_V4);
  answers[FWPS_LAYER_ALE_AUTH_CONNECT_V4] = {FWP_ACTION_BLOCK, true, true};
  const auto owner = test::http_owner();
  auto operation = test::operation(owner, stack::Direction::Outbound);
  const auto later = shim_->connect(operation, nullptr);
  ASSERT_EQ(later.decision, Decision::Later);
  EXPECT_EQ(flows_->counts().alive, 1u);

  answers[FWPS_LAYER_ALE_AUTH_CONNECT_V4] = {};
  stack::Authorization answer;
  control_.on_resume = [&](stack::Ticket ticket) {
    EXPECT_EQ(ticket, later.ticket);
    operation.resumed = ticket;
    answer = shim_->connect(operation, nullptr);
  };
  pends_->complete(pended);
  EXPECT_EQ(answer.decision, Decision::Allow);
  ASSERT_EQ(shown.size(), 2u);
  EXPECT_EQ(shown[1].flags, static_cast<UINT32>(FWP_CONDITION_FLAG_IS_REAUTHORIZE));
  EXPECT_EQ(shown[1].metadata.completionHandle, nullptr);
  EXPECT_NE(shown[1].metadata.currentMetadataValues & FWPS_METADATA_FIELD_PACKET_DIRECTION, 0u);
  EXPECT_EQ(shown[0].metadata.flowHandle, answer.flow);
  EXPECT_EQ(shown[1].metadata.flowHandle, answer.flow);
  EXPECT_EQ(flows_->counts().created, 1u);
  shim_->flow_ended(answer.flow);
}

// The application gave up meanwhile, or it was a datagram: the stack does not ask again.
TEST_F(ShimTest, APendedConnectThatIsNotAskedAgainEndsItsFlow) {
  start();
  filter_at(FWPS_LAYER_ALE_AUTH_CONNECT_V4);
  answers[FWPS_LAYER_ALE_AUTH_CONNECT_V4] = {FWP_ACTION_BLOCK, true, true};
  const auto owner = test::http_owner();
  const auto operation = test::operation(owner, stack::Direction::Outbound);
  ASSERT_EQ(shim_->connect(operation, nullptr).decision, Decision::Later);
  EXPECT_EQ(flows_->counts().alive, 1u);
  pends_->complete(pended);
  EXPECT_EQ(flows_->counts().alive, 0u);

  ASSERT_EQ(shim_->connect(operation, nullptr).decision, Decision::Later);
  shim_.reset();  // with one still waiting
  EXPECT_EQ(flows_->counts().alive, 0u);
  pends_->complete(pended);
}

// A driver that does not look at IS_REAUTHORIZE tries to pend with the handle that is not there.
TEST_F(ShimTest, PendingAReauthorizationIsRefusedAndWaitingForItNamed) {
  start();
  filter_at(FWPS_LAYER_ALE_AUTH_CONNECT_V4);
  answers[FWPS_LAYER_ALE_AUTH_CONNECT_V4] = {FWP_ACTION_BLOCK, true, true};
  const auto owner = test::http_owner();
  auto operation = test::operation(owner, stack::Direction::Outbound);
  ASSERT_EQ(shim_->connect(operation, nullptr).decision, Decision::Later);
  stack::Authorization answer;
  control_.on_resume = [&](stack::Ticket ticket) {
    operation.resumed = ticket;
    pend_status = STATUS_FWP_CANNOT_PEND;
    answer = shim_->connect(operation, nullptr);
  };
  pends_->complete(pended);
  EXPECT_EQ(answer.decision, Decision::Deny);
  EXPECT_EQ(flows_->counts().alive, 0u);
  const auto found = wfp::ledger::violations();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].rule, "PEND-ON-REAUTH");
  wfp::ledger::clear_violations();
}

TEST_F(ShimTest, WithoutRoomForAFlowAConversationIsDeniedAndCounted) {
  start();
  while (flows_->create({}) != 0) {
  }
  const auto owner = test::http_owner();
  stack::Packet syn = packet();
  const stack::Packet witness = syn.share();
  EXPECT_EQ(shim_->accept(test::operation(owner, stack::Direction::Inbound), syn).decision, Decision::Deny);
  EXPECT_FALSE(syn);
  EXPECT_EQ(witness.nbl()->Status, drop_status(stack::Drop::FlowLimit));
  EXPECT_EQ(shim_->connect(test::operation(owner, stack::Direction::Outbound), nullptr).decision, Decision::Deny);
  EXPECT_EQ(stats_.dropped(stack::Drop::FlowLimit), 2u);
  for (const auto& [flow, facts] : flows_->list(wfp::flow::kMaxFlows)) flows_->end(flow);
}

TEST_F(ShimTest, ABlockedFlowIsToldToEnd) {
  start();
  filter_at(FWPS_LAYER_ALE_FLOW_ESTABLISHED_V4);
  const auto owner = test::http_owner();
  auto operation = test::operation(owner, stack::Direction::Inbound);
  operation.endpoint.flow = 0x1234;
  EXPECT_TRUE(shim_->established(operation, nullptr));
  EXPECT_EQ(shown[0].metadata.flowHandle, 0x1234u);
  answers[FWPS_LAYER_ALE_FLOW_ESTABLISHED_V4] = {FWP_ACTION_BLOCK, false, false};
  EXPECT_FALSE(shim_->established(operation, nullptr));
}

}  // namespace
}  // namespace shim
