// The stack in the report on an end: told to whoever finds functions and lines (src/app/places), or printed as it is
// when nobody is there. Also in a signal handler.
#pragma once

#include <ucontext.h>

#include "src/app/process/fault_text.hpp"

namespace app {

// A descriptor to a PlaceServer; a copy of it is kept. Once, before there are threads.
void tell_stacks_to(int places_fd);

// Where a fault struck. After a jump to where no code is there is no frame; the call that led there is on the stack.
struct FaultPoint {
  const void* instruction = nullptr;
  void* jumped_from = nullptr;  // return address
};
FaultPoint fault_point(const siginfo_t& info, const ucontext_t& context);

enum class StackPart { DriversFrames, AllFrames };
void write_stack(StackPart part, const FaultPoint& point = {});

// A fault inside one of our functions that a driver called: which one, because what it was called with cannot be read.
void add_called_function(FixedText& text, const FaultPoint& point);

}  // namespace app
