// Who among the callouts with filters has not agreed to offloads, so that the host can do without them: coalesced
// receive needs ALLOW_RSC and ALLOW_URO at the receive layers, partial checksums and large sends need ALLOW_OFFLOAD at
// the outbound ones. Kept up to date at commit and when registrations change; the packet path reads one word.
//
// Granularity, ours: "the traffic that a callout filters" is a direction and an address family. Conditions are not
// looked at. Threads: any; `lock_` is a leaf.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "wfp/engine/snapshot.hpp"
#include "wfp/model/layer.hpp"

namespace wfp::engine {

enum class Offload : std::uint8_t {
  Receive,  // coalesced segments
  Send,     // partial checksums, large sends
};

// One callout, at one layer, that does without.
struct OffloadRefusal {
  Offload offload = Offload::Receive;
  model::IpFamily family = model::IpFamily::NoFamily;
  std::uint16_t layer = 0;
  std::uint32_t callout_id = 0;
  std::string driver;
  std::string missing_flag;  // "FWP_CALLOUT_FLAG_ALLOW_RSC"
};

class OffloadConsent {
 public:
  using Filters = std::vector<std::shared_ptr<CompiledFilter>>;

  void filters_changed(const Filters& added, const Filters& deleted);
  void registrations_changed();

  bool is_refused(Offload offload, model::IpFamily family) const {
    return (refused_.load(std::memory_order_relaxed) & bit(offload, family)) != 0;
  }
  std::vector<OffloadRefusal> refusals() const;  // by layer

 private:
  struct Place {
    std::uint16_t layer;
    std::uint32_t callout;
    auto operator<=>(const Place&) const = default;
  };
  struct Use {
    std::shared_ptr<CalloutSlot> slot;
    std::size_t filters = 0;
    bool refuses = false;
  };

  static constexpr std::size_t kKinds = 4;  // two offloads, two families
  static constexpr std::size_t index(Offload offload, model::IpFamily family) {
    return 2 * static_cast<std::size_t>(offload) + (family == model::IpFamily::V6 ? 1 : 0);
  }
  static constexpr std::uint32_t bit(Offload offload, model::IpFamily family) {
    return std::uint32_t{1} << index(offload, family);
  }

  void count(const CompiledFilter& filter, bool is_added);
  void set_refuses(std::uint16_t layer, Use& use, bool refuses);
  void publish();

  mutable std::mutex lock_;
  std::map<Place, Use> uses_;                   // where a callout would meet an offload
  std::array<std::size_t, kKinds> refusing_{};  // how many of them refuse it
  std::atomic<std::uint32_t> refused_{0};
};

}  // namespace wfp::engine
