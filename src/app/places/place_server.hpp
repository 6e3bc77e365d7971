// The side that finds what places mean (place_link.hpp): it reads the drivers' files, and runs in a process of its own.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "src/app/places/place_link.hpp"
#include "src/app/places/resolver.hpp"
#include "tap/file_descriptor.hpp"

namespace app {

class PlaceServer {
 public:
  void listen(tap::FileDescriptor fd) { fd_ = std::move(fd); }
  int fd() const { return fd_.get(); }  // -1 once the other side is gone
  void serve();                         // one message; waits for it
  void serve_what_is_there();           // without waiting
  // Of the stack that was printed last.
  const std::vector<SourceFrame>& printed() const { return printed_; }

 private:
  std::string answer(const std::string& question);
  void print_stack(const std::string& message);

  tap::FileDescriptor fd_;
  Resolver resolver_;
  std::vector<SourceFrame> printed_;
};

// Forks a process that answers until the other side ends. The calling process has one thread. Without a descriptor:
// none could be made, and places are named by image and offset.
tap::FileDescriptor start_place_process();

}  // namespace app
