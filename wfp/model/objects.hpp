// Management objects in the engine's own words: provider, sublayer, callout and filter. Deep copies of what a session
// added; immutable once a transaction has published them. Any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fwpm/objects.h"
#include "wfp/model/condition.hpp"

namespace wfp::model {

inline constexpr std::size_t kMaxConditions = 1024;  // of one filter
inline constexpr std::size_t kMaxNameUnits = 1024;   // UTF-16 code units of a display name

// How long an object lives. An object may not refer to one that lives shorter.
enum class Lifetime : std::uint8_t { Dynamic, Static, Persistent, BuiltIn };

// What every object has. `session` is the dynamic session that made it, else 0.
struct Identity {
  GUID key{};
  std::u16string name;
  std::u16string description;
  std::uint32_t flags = 0;
  std::optional<GUID> provider;
  std::vector<std::uint8_t> provider_data;
  Lifetime lifetime = Lifetime::Static;
  std::uint64_t session = 0;
};

struct Provider : Identity {
  std::u16string service_name;
};

struct SubLayer : Identity {
  std::uint16_t weight = 0;
};

struct CalloutObject : Identity {
  std::uint16_t layer = 0;
  std::uint32_t id = 0;
};

struct Filter : Identity {
  std::uint64_t id = 0;
  std::uint16_t layer = 0;
  GUID sublayer{};
  Value weight;                        // as given: FWP_EMPTY, FWP_UINT8 or FWP_UINT64
  std::uint64_t effective_weight = 0;  // what filters of a sublayer are ordered by
  std::vector<Condition> conditions;
  FWP_ACTION_TYPE action = FWP_ACTION_PERMIT;
  GUID callout{};  // with a callout action
  std::uint32_t callout_id = 0;
  std::uint64_t raw_context = 0;

  bool calls_out() const { return (action & FWP_ACTION_FLAG_CALLOUT) != 0; }
};

}  // namespace wfp::model
