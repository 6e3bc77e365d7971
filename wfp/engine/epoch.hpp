// When may a retired version be freed? Readers announce themselves in a slot of their thread; a writer that has
// replaced a version waits until every reader that may have seen it has left.
//
// enter/leave: any thread, any IRQL, one store each; no lock, no shared counter. A thread's first Guard allocates its
// slot; slots are reused by later threads, so there are as many as threads ran at once. Guards nest: the outermost
// one counts.
#pragma once

#include <cstdint>

namespace wfp::engine::epoch {

class Guard {
 public:
  Guard();
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
};

// The calling thread reads a version right now, so waiting for readers would wait for itself.
bool is_reading();

// Call after the new version was stored: the ticket of what it replaced.
std::uint64_t retire();
// Every reader that may have seen what was retired under this ticket has left.
bool is_quiet(std::uint64_t ticket);

}  // namespace wfp::engine::epoch
