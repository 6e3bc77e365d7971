#include "src/app/daemon/layer_named.hpp"

namespace app {

const wfp::model::Layer* layer_named(std::string name) {
  for (const std::string prefix : {"FWPS_LAYER_", "FWPM_LAYER_"})
    if (name.starts_with(prefix)) name.erase(0, prefix.size());
  for (const auto& layer : wfp::model::layers())
    if (layer.name == name) return &layer;
  return nullptr;
}

}  // namespace app
