// The one door of every hook: armed bits, the parties behind them, and what happens to a packet that is given up.
// Belongs to one stack; used on its thread. Without parties everything passes.
#pragma once

#include <array>
#include <optional>

#include "stack/base/stats.hpp"
#include "stack/hooks/authorizer.hpp"
#include "stack/hooks/discard.hpp"
#include "stack/hooks/inspector.hpp"

namespace stack {

class Hooks {
 public:
  explicit Hooks(Stats& stats) : stats_(stats) {}

  // Parties may be null. They outlive the stack or are taken out first.
  void set_inspector(Inspector* inspector) { inspector_ = inspector; }
  void set_authorizer(Authorizer* authorizer) { authorizer_ = authorizer; }
  void set_discard_observer(DiscardObserver* observer) { discard_observer_ = observer; }
  void arm(Hook hook, Family family, bool on);
  // Whoever looks at the hooks of a direction and family does not take what links leave to others or do for them:
  // received super-frames are segmented before IpIn; what is sent has the path's size and a finished checksum before
  // TransportOut.
  void refuse_offload(Direction direction, Family family, bool on);

  bool armed(Hook hook, Family family) const { return (armed_ & bit(hook, family)) != 0; }
  bool refuses_offload(Direction direction, Family family) const {
    return (refused_offloads_ & bit(direction, family)) != 0;
  }
  // Changes when refuse_offload changes anything; part of what a kept route depends on.
  std::uint32_t offload_generation() const { return offload_generation_; }

  // For armed hooks. The context says which; its data position is checked on return.
  std::optional<Packet> inspect(Packet packet, const PacketContext& context);

  // Null: everything is allowed, and no flow has a tag.
  Authorizer* authorizer() const { return authorizer_; }

  // Gives a packet up. The first form returns whether the protocol's answer (RST, ICMP error) may be sent.
  bool discard(Packet packet, Drop reason, const PacketContext& context);
  void discard(Packet packet, Drop reason);

  Stats& stats() { return stats_; }

 private:
  static constexpr std::uint32_t bit(Hook hook, Family family) {
    return std::uint32_t{1} << (2 * static_cast<unsigned>(hook) + static_cast<unsigned>(family));
  }
  static constexpr std::uint32_t bit(Direction direction, Family family) {
    return std::uint32_t{1} << (2 * static_cast<unsigned>(direction) + static_cast<unsigned>(family));
  }
  Stats& stats_;
  std::uint32_t armed_ = 0;
  std::uint32_t refused_offloads_ = 0;
  std::uint32_t offload_generation_ = 0;
  Inspector* inspector_ = nullptr;
  Authorizer* authorizer_ = nullptr;
  DiscardObserver* discard_observer_ = nullptr;
};

}  // namespace stack
