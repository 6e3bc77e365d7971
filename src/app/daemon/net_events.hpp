// The latest packets that the stack gave up, with the reason: `wfptap show netevents`. Stands before the discard
// observer that the stack has anyway and passes everything on. Stack's thread only.
#pragma once

#include <deque>
#include <string>

#include "stack/hooks/discard.hpp"
#include "stack/hooks/hooks.hpp"

namespace app {

class NetEvents final : public stack::DiscardObserver {
 public:
  static constexpr std::size_t kKept = 512;

  struct Event {
    stack::Instant time;
    stack::Drop reason;
    bool has_context = false;
    stack::PacketContext context;  // has_context; its endpoint facts are not to be used any more
  };

  // `behind` may be null; it outlives this.
  explicit NetEvents(stack::DiscardObserver* behind, std::function<stack::Instant()> clock)
      : behind_(behind), clock_(std::move(clock)) {}

  bool discarded(const stack::Packet& packet, stack::Drop reason, const stack::PacketContext& context) override;
  void discarded_early(const stack::Packet& packet, stack::Drop reason) override;

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
