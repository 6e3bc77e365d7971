// `wfptap filter add` and `filter delete`: a filter in words, translated and handed to the engine through the same
// Fwpm functions that drivers use. PASSIVE_LEVEL; one thread.
#pragma once

#include <string>
#include <vector>

#include "src/app/control/message.hpp"

namespace app {

// {"layer", "action", "callout", "name", "conditions": ["FIELD=VALUE"], "weight"}; the result is {"id": N}.
control::Reply add_filter(const control::Json& request);
control::Reply delete_filter(std::uint64_t id);

}  // namespace app
