// The time that recordings show: nanoseconds since 1970, which never go back. One clock for all recordings of a run, so
// that they can be laid side by side.
#pragma once

#include <cstdint>
#include <functional>

namespace app::output {

using WallClock = std::function<std::int64_t()>;  // any thread

}  // namespace app::output
