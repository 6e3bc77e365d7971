#include "src/app/daemon/counts.hpp"

#include "stack/core/stack.hpp"
#include "wfp/ale/pend.hpp"
#include "wfp/engine/engine.hpp"
#include "wfp/inject/injections.hpp"
#include "wfp/ledger/violation.hpp"

namespace app {
namespace {

using control::Json;

// Layers at which an absorbed packet is one that a driver must bring back or give up; at the others an operation
// without a packet may be absorbed, too.
bool counts_as_packet(std::uint16_t id) {
  using wfp::model::LayerKind;
  const wfp::model::Layer& layer = *wfp::model::find_layer(id);
  return !layer.is_discard && (layer.kind == LayerKind::Transport || layer.kind == LayerKind::IpPacket ||
                               layer.kind == LayerKind::AuthRecvAccept);
}

output::InjectionRecord record_of(const wfp::inject::InjectionCounts::Direction& direction) {
  return {direction.accepted, direction.completed, direction.failed, direction.refused};
}

}  // namespace

Json packet_counts(node::System& system) {
  const auto& stats = system.stack().stats();
  Json dropped = Json::object();
  for (std::size_t i = 0; i < stack::kDropCount; ++i) {
    const auto reason = static_cast<stack::Drop>(i);
    if (reason == stack::Drop::Absorbed) continue;  // a driver has it: no loss, and counted by layer
    if (const auto count = stats.dropped(reason); count != 0) dropped[std::string(stack::name_of(reason))] = count;
  }
  return {{"received", stats.frames_received},
          {"sent", stats.frames_sent},
          {"bytes_received", stats.bytes_received},
          {"bytes_sent", stats.bytes_sent},
          {"dropped", dropped}};
}

void collect_counts(node::System& system, output::Report& report) {
  std::uint64_t absorbed_packets = 0;
  for (const auto& layer : system.engine().layer_reports()) {
    const auto& counts = layer.counts;
    if (counts_as_packet(layer.id)) absorbed_packets += counts.absorbed;
    report.layers[layer.name] = {counts.classified, counts.permitted, counts.blocked, counts.absorbed,
                                 layer.is_asked};
  }
  if (const auto* injections = wfp::inject::Injections::current()) {
    const auto counts = injections->counts();
    report.injections_by_direction["inbound"] = record_of(counts.inbound);
    report.injections_by_direction["outbound"] = record_of(counts.outbound);
    report.injections = {
        counts.inbound.accepted + counts.outbound.accepted, counts.inbound.completed + counts.outbound.completed,
        counts.inbound.failed + counts.outbound.failed, counts.inbound.refused + counts.outbound.refused};
  }
  report.absorbed_never_reinjected =
      absorbed_packets > report.injections.accepted ? absorbed_packets - report.injections.accepted : 0;
  if (const auto* pends = wfp::ale::Pends::current()) {
    const auto counts = pends->counts();
    report.pends_started = counts.started;
    report.pends_completed = counts.completed;
  }
  const auto packets = packet_counts(system);
  report.packets_received = packets["received"];
  report.packets_sent = packets["sent"];
  for (const auto& [reason, count] : packets["dropped"].items()) report.packets_dropped[reason] = count;
}

void collect_violations(const ViolationLog& log, output::Report& report) {
  report.violation_count = wfp::ledger::violation_count();
  report.note_count = wfp::ledger::note_count();
  report.violations = log.records(wfp::ledger::violations());
  report.notes = log.records(wfp::ledger::notes());
}

}  // namespace app
