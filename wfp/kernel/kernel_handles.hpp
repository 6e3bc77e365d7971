// Kernel handles: slot and generation, never pointers, so that a stale one fails and names what it was. A handle
// holds a reference to a thread, or names an open registry key. Any thread.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "wfp/kernel/thread.hpp"

namespace wfp::kernel {

inline constexpr std::size_t kMaxHandles = 4096;

struct RegistryKey {
  std::string driver;       // whose service key
  bool parameters = false;  // the key's Parameters subkey
};
using HandleTarget = std::variant<std::monostate, Thread*, RegistryKey>;

class KernelHandles {
 public:
  std::optional<HANDLE> open(HandleTarget target);  // nothing when kMaxHandles are open
  void set(HANDLE handle, HandleTarget target);     // what an open handle names from now on
  HandleTarget find(HANDLE handle) const;           // monostate: not an open handle
  Thread* retain_thread(HANDLE handle) const;  // with a reference for the caller; null: no open handle of a thread
  HandleTarget close(HANDLE handle);           // what it named; the caller drops the reference
  std::size_t open_count() const;

 private:
  struct Slot {
    HandleTarget target;
    std::uint32_t generation = 1;
  };
  std::optional<std::size_t> slot_of(HANDLE handle) const;

  mutable std::mutex lock_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace wfp::kernel
