// One context: a number that a driver attached to a (flow, layer, callout). Guarded by the lock of `Flows` until it is
// taken out of it, then owned by whoever deletes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace wfp::flow {

struct FlowContext {
  std::uint16_t layer = 0;
  std::uint32_t callout = 0;
  std::uint64_t registration = 0;  // its serial: a later one under the same id is somebody else
  std::uint64_t value = 0;
  std::uint32_t running = 0;  // classifies that were given the value and have not returned
  bool removing = false;      // deleted when `running` reaches zero; no classify is given it any more
};

inline constexpr std::size_t kNoContext = static_cast<std::size_t>(-1);

// The live context of this callout at this layer, or kNoContext.
std::size_t find_context(const std::vector<std::unique_ptr<FlowContext>>& contexts, std::uint16_t layer,
                         std::uint32_t callout);
// As above, or one that is being removed: there is at most one of either.
std::size_t find_by_id(const std::vector<std::unique_ptr<FlowContext>>& contexts, std::uint16_t layer,
                       std::uint32_t callout);

}  // namespace wfp::flow
