// The two client commands that go on after their reply: the trace, and a connection on standard input and output.
#pragma once

#include "src/app/control/client.hpp"

namespace app::control {

// Copies the stream to standard output until it ends or nobody reads it.
int copy_trace(Client& client);

// Standard input to the connection, the connection to standard output. The end of the input is a half close; what
// still comes is written. Ends when the peer has finished and our input has, too; on a terminal the peer's end is
// enough.
int relay_standard_streams(Client& client);

}  // namespace app::control
