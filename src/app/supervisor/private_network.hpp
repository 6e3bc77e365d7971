// A network namespace of the process's own, with `lo` up: whatever is done in it touches nothing outside and goes
// away with its last process. Without root it takes a user namespace, too, in which the user is root over that
// network. Call while the process has one thread.
#pragma once

#include <string>

namespace app {

// Empty, or a sentence that says what is missing and how to get it.
std::string enter_private_network();

}  // namespace app
