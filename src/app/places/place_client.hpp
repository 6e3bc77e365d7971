// The side that asks (place_link.hpp): where drivers run.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "src/app/places/place_link.hpp"
#include "src/app/places/source_frame.hpp"
#include "tap/file_descriptor.hpp"
#include "wfp/ledger/place.hpp"

namespace app {

class PlaceClient {
 public:
  explicit PlaceClient(tap::FileDescriptor fd) : fd_(std::move(fd)) {}
  // Any thread but the stack's: it waits for the answer, for at most 10 s. Image and offset when there is none.
  std::vector<SourceFrame> frames_of(const wfp::ledger::Place& place);
  std::vector<SourceFrame> frames_of(const std::vector<wfp::ledger::Place>& places);

 private:
  bool ask(const std::string& question, std::string& answer);

  tap::FileDescriptor fd_;
  std::mutex mutex_;
};

// A whole stack to the other side, which prints it. In a signal handler too: no memory, no lock. `addresses` are
// return addresses from the innermost out, but for `instruction`, where a fault struck: the frames before it are those
// of the handler and left out. False: nobody is there.
bool send_stack(int fd, char which, void* const* addresses, int count, const void* instruction) noexcept;

// Finds out where our own program is mapped, for send_stack; once, outside of signal handlers.
void find_own_image();

}  // namespace app
