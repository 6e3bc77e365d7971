// The latest packets and operations that were dropped, with the reason: `wfptap show netevents`. What filters and
// callouts block comes from the shim, what the stack gives up from the discard observer, before which this stands and to
// which it passes everything on. Stack's thread only.
#pragma once

#include <deque>
#include <functional>
#include <string_view>

#include "src/shim/trace.hpp"
#include "stack/hooks/discard.hpp"
#include "stack/hooks/hooks.hpp"

namespace app {

class NetEvents final : public stack::DiscardObserver, public shim::TraceSink {
 public:
  static constexpr std::size_t kKept = 512;

  struct Event {
    stack::Instant time;
    std::string_view reason;    // a name of stack::Drop
    std::string_view where{};   // the layer that blocked it, or whose hook it had come to; empty: not known
    std::uint8_t protocol = 0;  // 0: nothing is known of the packet
    stack::Direction direction = stack::Direction::Inbound;
    stack::SocketAddress local{};  // port 0: not known
    stack::SocketAddress remote{};
    std::uint8_t tcp_flags = 0;
    std::uint64_t filter_id = 0;   // that blocked it
    std::uint32_t callout_id = 0;  // of that filter, where it has one
  };

  // `behind` may be null; it outlives this.
  explicit NetEvents(stack::DiscardObserver* behind, std::function<stack::Instant()> clock)
      : behind_(behind), clock_(std::move(clock)) {}

  bool discarded(const stack::Packet& packet, stack::Drop reason, const stack::PacketContext& context) override;
  void discarded_early(const stack::Packet& packet, stack::Drop reason) override;
  void classified(const shim::TraceRecord& record) override;  // a block

  const std::deque<Event>& latest() const { return events_; }
  std::uint64_t forgotten_count() const { return forgotten_; }

 private:
  void keep(Event event);

  stack::DiscardObserver* behind_;
  std::function<stack::Instant()> clock_;
  std::deque<Event> events_;
  std::uint64_t forgotten_ = 0;  // older ones
};

}  // namespace app
