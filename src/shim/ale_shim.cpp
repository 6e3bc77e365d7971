#include "src/shim/ale_shim.hpp"

#include <utility>

#include "src/shim/discard_reason.hpp"

namespace shim {
namespace {

using stack::Authorization;
using stack::Decision;
using stack::Operation;
using wfp::engine::ClassifyResult;
using wfp::engine::Verdict;

Facts facts_with_packet(const Operation& operation, const stack::Packet* packet) {
  Facts facts = facts_of(operation);
  if (packet != nullptr && *packet) facts.origin = packet->meta().origin;
  return facts;
}

NET_BUFFER_LIST* nbl_of(const stack::Packet* packet) { return packet == nullptr ? nullptr : packet->nbl(); }

void copy_address(const stack::IpAddress& from, std::array<std::uint8_t, 16>& into) {
  const stack::Bytes bytes = from.bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i) into[i] = std::to_integer<std::uint8_t>(bytes[i]);
}

wfp::flow::FlowFacts flow_facts(const Operation& operation) {
  wfp::flow::FlowFacts facts;
  facts.address_family = operation.family == stack::Family::V4 ? AF_INET : AF_INET6;
  facts.protocol = operation.protocol;
  facts.inbound = operation.direction == stack::Direction::Inbound;
  copy_address(operation.local.address, facts.local);
  copy_address(operation.remote.address, facts.remote);
  facts.local_port = operation.local.port;
  facts.remote_port = operation.remote.port;
  facts.endpoint = operation.endpoint.endpoint.value;
  facts.process_id = operation.endpoint.owner == nullptr ? 0 : operation.endpoint.owner->process_id;
  return facts;
}

Metadata metadata_for(LayerPair pair, const Operation& operation, const AuthorizationHandles& handles) {
  switch (pair) {
    case LayerPair::AuthConnect:
      return Metadata::connect(operation, handles);
    case LayerPair::AuthRecvAccept:
      return Metadata::accept(operation, handles);
    default:
      return Metadata::resource(operation, handles.completion);
  }
}

}  // namespace

Authorization AleShim::bind(const Operation& operation) {
  Facts facts = facts_of(operation);
  if (operation.local.address.is_unspecified() || operation.local.port == 0)
    facts.condition_flags |= FWP_CONDITION_FLAG_IS_WILDCARD_BIND;
  // A bind or listen is not reauthorized, it is classified again: the flag says so on the way back from a pend.
  if (operation.resumed != 0) facts.condition_flags |= FWP_CONDITION_FLAG_IS_RECLASSIFY;
  return ask({LayerPair::ResourceAssignment, operation, facts, nullptr, false});
}

Authorization AleShim::listen(const Operation& operation) {
  Facts facts = facts_of(operation);
  if (operation.resumed != 0) facts.condition_flags |= FWP_CONDITION_FLAG_IS_RECLASSIFY;
  return ask({LayerPair::AuthListen, operation, facts, nullptr, false});
}

Authorization AleShim::connect(const Operation& operation, stack::Packet* packet) {
  Facts facts = facts_with_packet(operation, packet);
  // Documented: completing a pended connect reauthorizes it, and the decision is returned there.
  if (operation.resumed != 0) {
    facts.condition_flags |= FWP_CONDITION_FLAG_IS_REAUTHORIZE;
    facts.reauthorize_reason = FWP_CONDITION_REAUTHORIZE_REASON_CLASSIFY_COMPLETION;
  }
  return ask({LayerPair::AuthConnect, operation, facts, packet, true});
}

Authorization AleShim::accept(const Operation& operation, stack::Packet& packet) {
  return ask({LayerPair::AuthRecvAccept, operation, facts_with_packet(operation, &packet), &packet, true});
}

// The flow first, so that its handle can be shown; a host that has no room for one admits no conversation, since
// callouts conditional on flow would never see it.
Authorization AleShim::ask(const Request& request) {
  if (!request.has_flow) return classify(request, 0);
  const std::uint64_t flow = take_flow(request.operation);
  if (flow == 0) {
    classifier_.hooks().stats().count(stack::Drop::FlowLimit);
    if (request.packet != nullptr && *request.packet) {
      request.packet->nbl()->Status = drop_status(stack::Drop::FlowLimit);
      request.packet->reset();
    }
    return {.decision = Decision::Deny};
  }
  const Authorization answer = classify(request, flow);
  const bool waits = answer.decision == Decision::Later && request.pair == LayerPair::AuthConnect;
  if (waits)
    waiting_.emplace(answer.ticket, flow);
  else if (answer.decision != Decision::Allow)
    flows_.end(flow);
  return answer;
}

std::uint64_t AleShim::take_flow(const Operation& operation) {
  if (const auto found = waiting_.find(operation.resumed); found != waiting_.end()) {
    const std::uint64_t flow = found->second;
    waiting_.erase(found);
    return flow;
  }
  return flows_.create(flow_facts(operation));
}

void AleShim::on_resumed(stack::Ticket ticket) {
  const auto found = waiting_.find(ticket);
  if (found == waiting_.end()) return;
  flows_.end(found->second);
  waiting_.erase(found);
}

AleShim::~AleShim() {
  for (const auto& [ticket, flow] : waiting_) flows_.end(flow);
}

Authorization AleShim::classify(const Request& request, std::uint64_t flow) {
  const Operation& operation = request.operation;
  const bool resumed = operation.resumed != 0;
  if (resumed && pends_.is_denied(operation.resumed)) return {.decision = Decision::Deny};
  if (!classifier_.armed(request.pair, operation.family)) return {.decision = Decision::Allow, .flow = flow};

  // What was pended once cannot be pended again: no completion handle is shown on the way back.
  const HANDLE completion = pends_.begin(resumed);
  const Values values(request.pair, request.facts, classifier_.interfaces());
  const Metadata metadata = metadata_for(
      request.pair, operation,
      {.flow = flow, .completion = resumed ? nullptr : completion, .reauthorization = resumed && request.has_flow});
  const Classifier::Question question{request.pair, request.facts, values, metadata, nbl_of(request.packet), flow};
  const ClassifyResult result = classifier_.ask(question);
  const std::uint64_t ticket = pends_.finish(completion, result);
  classifier_.trace(question, result, ticket != 0);
  if (result.verdict == Verdict::Permit) return {.decision = Decision::Allow, .flow = flow};
  drop(request.packet, question, result);
  if (ticket != 0) return {.decision = Decision::Later, .ticket = ticket};
  return {.decision = Decision::Deny};
}

void AleShim::drop(stack::Packet* packet, const Classifier::Question& question, const ClassifyResult& result) {
  stack::Packet given_up;
  if (packet != nullptr) given_up = std::move(*packet);
  classifier_.give_up(std::move(given_up), question, result, stack::Drop::AuthorizationDenied);
}

bool AleShim::established(const Operation& operation, stack::Packet* packet) {
  if (!classifier_.armed(LayerPair::FlowEstablished, operation.family)) return true;
  const std::uint64_t flow = operation.endpoint.flow;
  const Facts facts = facts_with_packet(operation, packet);
  const Values values(LayerPair::FlowEstablished, facts, classifier_.interfaces());
  const Metadata metadata = Metadata::established(operation, flow);
  const Classifier::Question question{LayerPair::FlowEstablished, facts, values, metadata, nbl_of(packet), flow};
  const ClassifyResult result = classifier_.ask(question);
  classifier_.trace(question, result, false);
  return result.verdict == Verdict::Permit;
}

}  // namespace shim
