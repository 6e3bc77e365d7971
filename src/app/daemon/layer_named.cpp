#include "src/app/daemon/layer_named.hpp"

namespace app {

const wfp::model::Layer* layer_named(std::string name) {
  constexpr std::string_view kPrefix = "FWPS_LAYER_";
  if (name.starts_with("FWPM_LAYER_")) name.erase(0, kPrefix.size());
  if (!name.starts_with(kPrefix)) name.insert(0, kPrefix);
  for (const auto& layer : wfp::model::layers())
    if (layer.name == name) return &layer;
  return nullptr;
}

}  // namespace app
