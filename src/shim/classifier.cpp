#include "src/shim/classifier.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "src/shim/describe.hpp"
#include "src/shim/discard_reason.hpp"
#include "wfp/model/layer.hpp"
#include "wfp/ndis/nbl.hpp"

namespace shim {
namespace {

using wfp::engine::ClassifyInput;
using wfp::engine::ClassifyResult;
using wfp::engine::Verdict;

std::string_view injection_state(const NET_BUFFER_LIST* packet) {
  if (packet == nullptr) return "none";
  auto* one = const_cast<NET_BUFFER_LIST*>(packet);
  if (wfp::ndis::injection_mark(*one).handle != 0) return "injected";
  while ((one = one->ParentNetBufferList) != nullptr)
    if (wfp::ndis::injection_mark(*one).handle != 0) return "inherited";
  return "none";
}

std::string_view action_name(FWP_ACTION_TYPE action) {
  switch (action) {
    case FWP_ACTION_PERMIT:
      return "permit";
    case FWP_ACTION_BLOCK:
      return "block";
    case FWP_ACTION_CONTINUE:
      return "continue";
    default:
      return "none";
  }
}

// The question that the calling thread is inside of, while somebody traces.
struct Asked {
  Classifier* classifier;
  const Classifier::Question* question;
};
thread_local Asked asked{};

std::uint32_t length_of(const NET_BUFFER_LIST* packet) {
  return packet == nullptr ? 0 : NET_BUFFER_DATA_LENGTH(NET_BUFFER_LIST_FIRST_NB(packet));
}

}  // namespace

ClassifyResult Classifier::ask(const Question& question) {
  const FactsDescriber describer(question.facts);
  ClassifyInput input;
  input.values = &question.values.get();
  input.metadata = &question.metadata.get();
  input.layer_data = question.packet;
  input.packet = question.packet;
  input.flow = question.flow;
  input.protocol = question.facts.protocol;
  input.describer = &describer;
  if (sink_ == nullptr) return engine_.classify(input);
  input.calls = &question.calls;
  const Asked outer = std::exchange(asked, {this, &question});
  const ClassifyResult result = engine_.classify(input);
  asked = outer;
  return result;
}

void Classifier::trace(const Question& question, const ClassifyResult& result, bool pended) {
  tell(question, result, pended, false);
}

void Classifier::trace_fault() {
  if (asked.question != nullptr) asked.classifier->tell(*asked.question, {}, false, true);
}

void Classifier::tell(const Question& question, const ClassifyResult& result, bool pended, bool is_fault) {
  if (sink_ == nullptr) return;
  std::array<CalloutCall, wfp::engine::CalloutCalls::kKept> callouts;
  const auto calls = question.calls.calls();
  std::ranges::transform(calls, callouts.begin(), [](const auto& call) {
    return CalloutCall{call.filter_id, call.callout_id, action_name(call.action)};
  });
  TraceRecord record = record_of(question, result, pended);
  record.callouts = std::span(callouts).first(calls.size());
  if (is_fault && !calls.empty()) {
    callouts[calls.size() - 1].action = record.action = "fault";
    record.filter_id = calls.back().filter_id;
    record.callout_id = calls.back().callout_id;
  }
  sink_->classified(record);
}

TraceRecord Classifier::record_of(const Question& question, const ClassifyResult& result, bool pended) const {
  const Facts& facts = question.facts;
  const FWPS_INCOMING_VALUES0& values = question.values.get();
  TraceRecord record;
  record.time_ns = engine_.host().now_ns();
  record.layer_id = values.layerId;
  record.layer_name = wfp::model::layer_name(values.layerId);
  record.direction = facts.direction;
  record.origin = question.packet == nullptr ? std::string_view{"operation"} : name_of(facts.origin);
  record.protocol = facts.protocol;
  record.local = {facts.local, facts.local_port};
  record.remote = {facts.remote, facts.remote_port};
  record.tcp_flags = facts.tcp_flags;
  record.length = length_of(question.packet);
  record.has_packet = question.packet != nullptr;
  record.metadata = &question.metadata.get();
  record.values = &values;
  record.filter_id = result.filter_id;
  record.callout_id = result.callout_id;
  record.action = result.verdict == Verdict::Permit ? "permit" : "block";
  record.matched = result.matched;
  record.absorb = result.absorb;
  record.pended = pended;
  record.injection_state = injection_state(question.packet);
  return record;
}

std::optional<stack::Packet> Classifier::judge(LayerPair pair, stack::Packet packet, const Facts& facts,
                                               const Metadata& metadata, std::uint64_t flow) {
  const Values values(pair, facts, interfaces_);
  const Question question{pair, facts, values, metadata, packet.nbl(), flow};
  const ClassifyResult result = ask(question);
  trace(question, result, false);
  if (result.verdict == Verdict::Permit) return packet;
  give_up(std::move(packet), question, result, stack::Drop::Blocked);
  return std::nullopt;
}

void Classifier::give_up(stack::Packet packet, const Question& question, const ClassifyResult& result,
                         stack::Drop blocked_as) {
  // Absorbed: gone without a discard, because a callout has it. Its own reference keeps it alive after ours.
  if (result.absorb) {
    if (packet) hooks_.stats().count(stack::Drop::Absorbed);
    return;
  }
  if (block_sink_ != nullptr) block_sink_->classified(record_of(question, result, false));
  if (packet) {
    hooks_.stats().count(blocked_as);
    packet.nbl()->Status = drop_status(blocked_as);
  }
  show_discard(question, result.filter_id);
}

void Classifier::show_discard(const Question& question, std::uint64_t filter_id) {
  if (!discard_armed(question.pair, question.facts.family)) return;
  Values values(question.pair, question.facts, interfaces_);
  values.set_layer(discard_layer_id(question.pair, question.facts.family));
  Metadata metadata(question.metadata);
  metadata.set_discard(FWPS_DISCARD_MODULE_GENERAL, FWPS_DISCARD_FIREWALL_POLICY, filter_id);
  const Question discarded{question.pair, question.facts, values, metadata, question.packet, question.flow};
  trace(discarded, ask(discarded), false);
}

}  // namespace shim
