// What `show layers`, `show callouts` and `show filters` print: plain copies, taken at one moment. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fwpm/objects.h"

namespace wfp::engine {

struct LayerCounts {
  std::uint64_t classified = 0, permitted = 0, blocked = 0, absorbed = 0;
};

struct LayerReport {
  std::uint16_t id = 0;
  std::string name;      // "FWPS_LAYER_INBOUND_TRANSPORT_V4"
  bool is_asked = true;  // false: no shim asks it, whatever filters it has
  std::size_t filters = 0;
  LayerCounts counts;
};

struct CalloutReport {
  std::uint32_t id = 0;
  GUID key{};
  std::string key_text;
  std::string name;         // of the management object; empty without one
  std::string layer;        // of the management object
  std::string driver;       // that registered it; empty: not registered
  std::uint32_t flags = 0;  // FWP_CALLOUT_FLAG_*
  bool is_registered = false;
  std::size_t flow_contexts = 0;
};

struct FilterReport {
  std::uint64_t id = 0;
  std::string key_text;
  std::string name;
  std::string layer;
  std::string sublayer;  // display name
  std::uint16_t sublayer_weight = 0;
  std::uint64_t weight = 0;
  std::string action;  // "permit", "block", "callout terminating", ...
  std::uint32_t callout_id = 0;
  bool is_asked = true;
  std::size_t conditions = 0;
  std::uint64_t hits = 0;  // times that it matched
};

std::string action_name(FWP_ACTION_TYPE action);

}  // namespace wfp::engine
