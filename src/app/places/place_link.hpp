// Between a process that runs drivers and one that finds what places mean: a pair of SOCK_SEQPACKET sockets with plain
// text. The asking side sends an offset and a file and is sent its frames; or it sends a whole stack, which the other
// side prints: at a fault nothing can be waited for any more.
//
//   ?OFFSET PATH         answered by a line a frame: inlined, line, file, function, divided by tabs
//   !d, !a, then lines   printed as "*** stack:", not answered. Each line is "OFFSET PATH", with a '-' before it for
//                        the program's own code; of !d the driver's alone are shown, if there are any
//
// `wfptap test` answers in its supervisor, `wfptap run` in a child that it forks before it has threads.
#pragma once

#include <cstddef>

#include "tap/file_descriptor.hpp"

namespace app {

inline constexpr std::size_t kMaxPlaceMessage = 32 * 1024;
inline constexpr char kAskPlace = '?', kTellStack = '!', kDriversFrames = 'd', kAllFrames = 'a', kOwnFrame = '-';

bool make_place_pair(tap::FileDescriptor& answering, tap::FileDescriptor& asking);

}  // namespace app
