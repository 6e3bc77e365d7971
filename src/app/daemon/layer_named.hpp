// Layers as a person names them. Any thread.
#pragma once

#include <string>

#include "wfp/model/layer.hpp"

namespace app {

// With or without FWPS_LAYER_ or FWPM_LAYER_ before it: "INBOUND_TRANSPORT_V4". Null: no such layer.
const wfp::model::Layer* layer_named(std::string name);

}  // namespace app
