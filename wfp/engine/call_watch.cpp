#include "wfp/engine/call_watch.hpp"

#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/kernel/spin_lock.hpp"
#include "wfp/ledger/rules.hpp"
#include "wfp/ledger/violation.hpp"
#include "wfp/ndis/offsets.hpp"

namespace wfp::engine {
namespace {

// Bits of CompiledFilter::reported.
constexpr std::uint32_t kTerminatingReported = 1u << 0, kNotSetReported = 1u << 1;

std::string name_of(const CompiledFilter& filter) {
  return callout_text(filter.filter.callout_id, filter.filter.id, filter.filter.layer);
}

// The callout has returned: its place is where its function begins.
void report_for(ledger::DriverId driver, const ClassifyInput& input, const CompiledFilter& filter,
                const void* function, std::string_view rule_id, std::string message) {
  ledger::Violation violation;
  violation.callout = name_of(filter);
  if (const auto place = ledger::place_of(function)) violation.places.push_back(place);
  violation.rule = rule_id;
  violation.message = std::move(message);
  violation.driver = driver;
  if (input.describer != nullptr) violation.packet = input.describer->describe();
  ledger::report(std::move(violation));
}

}  // namespace

CallWatch::CallWatch(const ClassifyInput& input, const CompiledFilter& filter, const void* function)
    : input_(input),
      filter_(filter),
      function_(function),
      irql_(kernel::current_irql()),
      held_locks_(kernel::thread_state.held_count) {
  if (input.packet == nullptr) return;
  for (NET_BUFFER* nb = NET_BUFFER_LIST_FIRST_NB(input.packet); nb != nullptr && buffer_count_ < kWatchedBuffers;
       nb = NET_BUFFER_NEXT_NB(nb))
    buffers_[buffer_count_++] = {nb, NET_BUFFER_DATA_LENGTH(nb)};
}

void CallWatch::check(const FWPS_CLASSIFY_OUT0& out, const Answer& answer) {
  check_thread();
  check_offsets();
  if (answer.absorb) check_absorb(answer);
  if ((out.rights & FWPS_RIGHT_ACTION_WRITE) != 0 && !answer.kept_right)
    report(ledger::rule::kNoRight,
           kernel::text("%s set FWPS_RIGHT_ACTION_WRITE, which it was not given; a callout may only "
                        "clear the right",
                        who().c_str()));
}

void CallWatch::check_thread() {
  if (const KIRQL now = kernel::current_irql(); now != irql_) {
    report(ledger::rule::kIrqlLeak,
           kernel::text("%s returned at %s but was called at %s; restore the saved level on every path",
                        who().c_str(), kernel::irql_name(now), kernel::irql_name(irql_)));
    kernel::set_irql(irql_);
  }
  if (kernel::thread_state.held_count > held_locks_)
    report(ledger::rule::kLockHeld, kernel::text("%s returned holding spin lock %p; release it on every path",
                                                 who().c_str(), static_cast<const void*>(kernel::held_spin_lock())));
}

void CallWatch::check_offsets() {
  for (std::size_t i = 0; i < buffer_count_; ++i) {
    const auto [nb, before] = buffers_[i];
    const ULONG now = NET_BUFFER_DATA_LENGTH(nb);
    if (now == before) continue;
    const bool is_back = now > before;
    report(ledger::rule::kOffsets,
           kernel::text("%s returned with the data start of NET_BUFFER %zu %u bytes too far %s; undo each "
                        "NdisRetreatNetBufferDataStart with NdisAdvanceNetBufferDataStart on every path",
                        who().c_str(), i, is_back ? now - before : before - now, is_back ? "back" : "ahead"));
    if (is_back)
      ndis::advance(*nb, now - before, true);
    else
      ndis::retreat(*nb, before - now);
    ndis::forget_driver_shift(*nb);
  }
}

void CallWatch::check_absorb(const Answer& answer) {
  const model::Layer& layer = *model::find_layer(input_.values->layerId);
  if (layer.absorb() == model::AbsorbRule::NotValid)
    report(ledger::rule::kAbsorb,
           kernel::text("%s set FWPS_CLASSIFY_OUT_FLAG_ABSORB, which is not valid at this layer; "
                        "block without it",
                        who().c_str()));
  else if (answer.action != FWP_ACTION_BLOCK)
    report(ledger::rule::kAbsorb,
           kernel::text(
               "%s set FWPS_CLASSIFY_OUT_FLAG_ABSORB without FWP_ACTION_BLOCK: nothing is absorbed, and what it "
               "keeps of the packet goes on, too; block and clear the right whenever you absorb",
               who().c_str()));
  const bool needs_ale = input_.metadata != nullptr &&
                         FWPS_IS_METADATA_FIELD_PRESENT(input_.metadata, FWPS_METADATA_FIELD_ALE_CLASSIFY_REQUIRED);
  if (layer.kind == model::LayerKind::Transport && needs_ale && answer.action == FWP_ACTION_BLOCK)
    report(ledger::rule::kAleSkipped,
           kernel::text("%s absorbed a packet that ALE has yet to authorize "
                        "(FWPS_METADATA_FIELD_ALE_CLASSIFY_REQUIRED); permit it here and take it at "
                        "the ALE layer",
                        who().c_str()));
}

void CallWatch::report_breach(Breach breach, const Answer& answer) {
  if (breach == Breach::WroteWithoutRight)
    report(ledger::rule::kNoRight,
           kernel::text("%s wrote action 0x%x over 0x%x without FWPS_RIGHT_ACTION_WRITE; return at once "
                        "when the right is missing, unless to veto a permit with a block",
                        who().c_str(), answer.action, answer.given));
  if (breach == Breach::ActionNotSet)
    report_once(ledger::rule::kNotSet, kNotSetReported,
                "%s returned actionType 0x%x, which is no answer, although it had FWPS_RIGHT_ACTION_WRITE; write "
                "FWP_ACTION_PERMIT, FWP_ACTION_BLOCK or FWP_ACTION_CONTINUE on every path",
                answer.action);
  if (breach == Breach::TerminatingDidNotDecide)
    report_once(ledger::rule::kTerminating, kTerminatingReported,
                "%s answered 0x%x to a filter of FWP_ACTION_CALLOUT_TERMINATING, which blocks; answer permit or "
                "block, or add the filter as FWP_ACTION_CALLOUT_UNKNOWN",
                answer.action);
}

void CallWatch::report_once(std::string_view rule_id, std::uint32_t bit, const char* what,
                            FWP_ACTION_TYPE action) const {
  if ((filter_.reported.fetch_or(bit) & bit) == 0) report(rule_id, kernel::text(what, who().c_str(), action));
}

std::string CallWatch::who() const { return name_of(filter_); }

void CallWatch::report(std::string_view rule_id, std::string message) const {
  report_for(ledger::current_driver(), input_, filter_, function_, rule_id, std::move(message));
}

void report_overruled_absorb(const ClassifyInput& input, const CompiledFilter& absorber,
                             const CompiledFilter& overruler) {
  const CalloutUse use(*absorber.callout);
  report_for(use ? use->driver : ledger::kNoDriver, input, absorber,
             use ? reinterpret_cast<const void*>(use->classify) : nullptr, ledger::rule::kOverruled,
             kernel::text("%s absorbed a packet but kept FWPS_RIGHT_ACTION_WRITE, and filter %llu of a lighter "
                          "sublayer permitted it: the callout has the packet and it goes on, too; clear the right "
                          "whenever you absorb",
                          name_of(absorber).c_str(), static_cast<unsigned long long>(overruler.filter.id)));
}

}  // namespace wfp::engine
