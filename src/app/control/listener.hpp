// Takes clients from the listening socket. Without descriptors to spare it still takes them, one at a time, with one
// that it keeps for that, to say why they are not served.
#pragma once

#include <chrono>
#include <string>

#include "tap/file_descriptor.hpp"

namespace app::control {

class Listener {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Listener(int socket);  // which outlives it and does not block
  struct Result {
    tap::FileDescriptor client;  // none: nobody waits, or there are no descriptors
    bool out_of_descriptors = false;
    bool look_again = false;  // somebody may wait still
  };
  Result accept();
  // When it is worth to accept: later than now after there was not even the spare descriptor.
  Clock::time_point ready_at() const { return ready_at_; }

 private:
  tap::FileDescriptor accept_once() const;
  Result turn_away();

  const int socket_;
  tap::FileDescriptor spare_;
  Clock::time_point ready_at_ = Clock::time_point::min();
};

}  // namespace app::control
