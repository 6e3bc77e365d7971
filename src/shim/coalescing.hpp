// Whether the device may make super-frames of what it receives, by address family: as callouts have agreed to.
#pragma once

namespace shim {

struct CoalescingAllowed {
  bool v4 = true;
  bool v6 = true;
  bool operator==(const CoalescingAllowed&) const = default;
};

}  // namespace shim
