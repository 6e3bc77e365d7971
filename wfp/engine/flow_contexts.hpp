// What the engine asks about flows while it classifies; wfp/flow implements it. A context that enter() returned stays
// valid, and its flowDeleteFn unrun, until leave(). Any thread; never called with an engine lock held.
#pragma once

#include <cstddef>
#include <cstdint>

#include "wfp/kernel/thread_state.hpp"

namespace wfp::engine {

class FlowContexts {
 public:
  virtual ~FlowContexts() = default;
  // The context of this callout at this layer, or 0 when there is none (then no leave() follows).
  virtual std::uint64_t enter(std::uint64_t flow, std::uint16_t layer, std::uint32_t callout) = 0;
  virtual void leave(std::uint64_t flow, std::uint16_t layer, std::uint32_t callout) = 0;
  virtual std::size_t count_of(std::uint32_t callout) const = 0;  // contexts that a callout still has
  // A registration of this callout was taken away by force: its contexts go without a flowDeleteFn, and none of them
  // is given to a later registration under the same id. Nobody runs its code any more.
  virtual void drop(std::uint32_t callout, std::uint64_t registration) = 0;
};

}  // namespace wfp::engine
