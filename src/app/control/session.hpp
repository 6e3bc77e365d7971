// One client's conversation: requests and replies until it goes, or a stream that it asked for. Runs on the client's
// thread.
#pragma once

#include "src/app/control/server.hpp"

namespace app::control {

// Returns when the client is gone, misbehaved, or its socket was shut down.
void serve(int socket, Backend& backend);

}  // namespace app::control
