// The verifier around one call of a classifyFn: what must be as it was when the callout returns. A finding is
// reported with its rule, the callout, the layer and the packet, and put right so that the next callout and the stack
// are not hurt by it. Any IRQL; costs a few loads when all is well.
#pragma once

#include <array>
#include <string_view>

#include "wfp/engine/arbitrate.hpp"
#include "wfp/engine/classify.hpp"
#include "wfp/engine/snapshot.hpp"

namespace wfp::engine {

inline constexpr std::size_t kWatchedBuffers = 64;  // NET_BUFFERs of a packet; those after them are not checked

class CallWatch {
 public:
  // `function`: the classifyFn.
  CallWatch(const ClassifyInput& input, const CompiledFilter& filter, const void* function);

  // After the call. `out` is what the callout left.
  void check(const FWPS_CLASSIFY_OUT0& out, const Answer& answer);
  void report_breach(Breach breach, const Answer& answer);

 private:
  struct Watched {
    NET_BUFFER* buffer;
    ULONG length;
  };
  void check_offsets();
  void check_thread();
  void check_absorb(const Answer& answer);
  void report_once(std::string_view rule_id, std::uint32_t bit, const char* what, FWP_ACTION_TYPE action) const;
  void report(std::string_view rule_id, std::string message) const;
  std::string who() const;

  const ClassifyInput& input_;
  const CompiledFilter& filter_;
  const void* function_;
  KIRQL irql_;
  std::size_t held_locks_;
  std::size_t buffer_count_ = 0;
  std::array<Watched, kWatchedBuffers> buffers_;  // the first buffer_count_ are set
};

// A callout absorbed with a soft block, and `overruler`, of a lighter sublayer, permitted the packet.
void report_overruled_absorb(const ClassifyInput& input, const CompiledFilter& absorber,
                             const CompiledFilter& overruler);

}  // namespace wfp::engine
