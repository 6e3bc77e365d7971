#include "wfp/engine/offload_consent.hpp"

#include <optional>

#include "wfp/ledger/ledger.hpp"

namespace wfp::engine {
namespace {

using model::LayerKind;

// Which offload a callout at this layer would meet. Discard twins see what others already had to see.
std::optional<Offload> offload_at(const model::Layer& layer) {
  if (layer.is_discard) return std::nullopt;
  if (layer.is_receive_packet_layer() || layer.kind == LayerKind::AuthRecvAccept) return Offload::Receive;
  const bool is_packet = layer.kind == LayerKind::IpPacket || layer.kind == LayerKind::Transport;
  return is_packet && layer.direction == model::LayerDirection::Outbound ? std::optional{Offload::Send}
                                                                         : std::nullopt;
}

// Null: nothing is missing.
const char* missing_flag(Offload offload, std::uint32_t flags) {
  if (offload == Offload::Send)
    return (flags & FWP_CALLOUT_FLAG_ALLOW_OFFLOAD) == 0 ? "FWP_CALLOUT_FLAG_ALLOW_OFFLOAD" : nullptr;
  if ((flags & FWP_CALLOUT_FLAG_ALLOW_RSC) == 0) return "FWP_CALLOUT_FLAG_ALLOW_RSC";
  return (flags & FWP_CALLOUT_FLAG_ALLOW_URO) == 0 ? "FWP_CALLOUT_FLAG_ALLOW_URO" : nullptr;
}

// A callout without code decides nothing and sees nothing.
bool does_refuse(CalloutSlot& slot, Offload offload) {
  const CalloutUse use(slot);
  return use && missing_flag(offload, use->flags) != nullptr;
}

}  // namespace

void OffloadConsent::set_refuses(std::uint16_t layer, Use& use, bool refuses) {
  if (use.refuses == refuses) return;
  use.refuses = refuses;
  const model::Layer& at = *model::find_layer(layer);
  std::size_t& refusing = refusing_[index(*offload_at(at), at.family)];
  refusing = refuses ? refusing + 1 : refusing - 1;
}

void OffloadConsent::count(const CompiledFilter& filter, bool is_added) {
  const model::Layer* const layer = model::find_layer(filter.filter.layer);
  const auto offload = layer != nullptr && filter.callout != nullptr ? offload_at(*layer) : std::nullopt;
  if (!offload) return;
  const Place place{layer->id, filter.callout->id()};
  Use& use = uses_[place];
  use.slot = filter.callout;
  use.filters = is_added ? use.filters + 1 : use.filters - 1;
  set_refuses(layer->id, use, use.filters != 0 && does_refuse(*use.slot, *offload));
  if (use.filters == 0) uses_.erase(place);
}

void OffloadConsent::publish() {
  std::uint32_t refused = 0;
  for (std::size_t kind = 0; kind < kKinds; ++kind)
    if (refusing_[kind] != 0) refused |= std::uint32_t{1} << kind;
  refused_.store(refused, std::memory_order_relaxed);
}

// Added before deleted: a filter that is replaced by its copy does not end a use in between.
void OffloadConsent::filters_changed(const Filters& added, const Filters& deleted) {
  const std::lock_guard lock(lock_);
  for (const auto& filter : added) count(*filter, true);
  for (const auto& filter : deleted) count(*filter, false);
  publish();
}

void OffloadConsent::registrations_changed() {
  const std::lock_guard lock(lock_);
  for (auto& [place, use] : uses_)
    set_refuses(place.layer, use, does_refuse(*use.slot, *offload_at(*model::find_layer(place.layer))));
  publish();
}

std::vector<OffloadRefusal> OffloadConsent::refusals() const {
  const std::lock_guard lock(lock_);
  std::vector<OffloadRefusal> out;
  for (const auto& [place, use] : uses_) {
    const model::Layer& layer = *model::find_layer(place.layer);
    const Offload offload = *offload_at(layer);
    const CalloutUse callout(*use.slot);
    const char* const missing = callout ? missing_flag(offload, callout->flags) : nullptr;
    if (missing != nullptr)
      out.push_back({offload, layer.family, layer.id, place.callout, ledger::driver_name(callout->driver), missing});
  }
  return out;
}

}  // namespace wfp::engine
