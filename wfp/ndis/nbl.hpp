// Ownership of NET_BUFFER_LISTs: an atomic reference count behind the public members, and what happens at zero.
//
// Every NBL comes from an allocation function of this folder, which puts private state behind the public structure.
// All functions here may be called on any thread with a reference in hand.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ndis.h"

namespace wfp::ndis {

// What an object's last release does instead of the default, which is to give the object back to its pool. The count
// is 0 then; a handler that gives the NBL to somebody (a completion function) calls revive() first. Runs on the
// releasing thread.
class ReleaseHandler {
 public:
  virtual void on_last_release(NET_BUFFER_LIST& nbl) noexcept = 0;

 protected:
  ~ReleaseHandler() = default;
};

// Adds a reference; returns the new count.
std::uint32_t reference(NET_BUFFER_LIST& nbl) noexcept;
// Drops one. Below zero nothing happens but a report (NBL-OVER-RELEASE).
void release(NET_BUFFER_LIST& nbl) noexcept;
std::uint32_t reference_count(const NET_BUFFER_LIST& nbl) noexcept;

// Returns the handler before; null is the default.
ReleaseHandler* exchange_release_handler(NET_BUFFER_LIST& nbl, ReleaseHandler* handler) noexcept;
// Puts it on an NBL that has none, in one step; false: it has one, and keeps it. So an injection takes the driver's
// NBL with its single reference; it takes its handler off again before it completes.
bool set_release_handler(NET_BUFFER_LIST& nbl, ReleaseHandler& handler) noexcept;
// True, with a report INJ-FREE-IN-FLIGHT, while an injection has the packet: its owner may not free it then.
bool report_if_in_flight(const NET_BUFFER_LIST& nbl) noexcept;
// Inside on_last_release: the count becomes 1 again, and the reference is the caller's.
void revive(NET_BUFFER_LIST& nbl) noexcept;

// Zeroed bytes that belong to the stack, for its packet metadata. Aligned for any object. Clones start with zeros.
inline constexpr std::size_t kOwnerAreaSize = 256;
void* owner_area(NET_BUFFER_LIST& nbl) noexcept;

// Which injection a packet came from; zero: none. A clone inherits its parent's mark, so that a callout can tell that
// it has seen the packet before.
struct InjectionMark {
  std::uint64_t handle = 0;
  std::uint64_t context = 0;
  std::uint32_t hops = 0;
};
InjectionMark& injection_mark(NET_BUFFER_LIST& nbl) noexcept;

// Who allocated it.
enum class Origin : std::uint8_t { stack, driver, clone };
Origin origin(const NET_BUFFER_LIST& nbl) noexcept;

}  // namespace wfp::ndis
