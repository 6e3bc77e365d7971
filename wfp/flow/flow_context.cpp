#include "wfp/flow/flow_context.hpp"

namespace wfp::flow {
namespace {

template <typename Wanted>
std::size_t find(const std::vector<std::unique_ptr<FlowContext>>& contexts, std::uint16_t layer,
                 std::uint32_t callout, Wanted wanted) {
  for (std::size_t index = 0; index < contexts.size(); ++index) {
    const FlowContext& context = *contexts[index];
    if (context.layer == layer && context.callout == callout && wanted(context)) return index;
  }
  return kNoContext;
}

}  // namespace

std::size_t find_context(const std::vector<std::unique_ptr<FlowContext>>& contexts, std::uint16_t layer,
                         std::uint32_t callout) {
  return find(contexts, layer, callout, [](const FlowContext& context) { return !context.removing; });
}

std::size_t find_by_id(const std::vector<std::unique_ptr<FlowContext>>& contexts, std::uint16_t layer,
                       std::uint32_t callout) {
  return find(contexts, layer, callout, [](const FlowContext&) { return true; });
}

}  // namespace wfp::flow
