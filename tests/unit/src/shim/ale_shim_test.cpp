// Authorization: flows, pends, and what becomes of the packet.
#include "src/shim/ale_shim.hpp"

#include "shim_fixture.hpp"

namespace shim {
namespace {

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

TEST_F(ShimTest, AWildcardBindSaysSo) {
  start();
  filter_at(FWPS_LAYER_ALE_RESOURCE_ASSIGNMENT_V4);
  const auto owner = test::http_owner();
  auto operation = test::operation(owner, stack::Direction::Inbound);
  const auto flags_of = [&] {
    shown.clear();
    shim_->bind(operation);
    return shown.at(0).flags & FWP_CONDITION_FLAG_IS_WILDCARD_BIND;
  };
  EXPECT_EQ(flags_of(), 0u);
  operation.local.port = 0;
  EXPECT_NE(flags_of(), 0u);
  operation.local = {stack::IpAddress::any(Family::V4), 80};
  EXPECT_NE(flags_of(), 0u);
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
  EXPECT_THAT(recorder.lines, ElementsAre("FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4 unknown block absorb pended none"));
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
