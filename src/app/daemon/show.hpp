// The tables of `wfptap show`. Functions that take the System run on the stack's thread; the others on any.
#pragma once

#include <string>

#include "src/app/control/message.hpp"
#include "src/app/daemon/net_events.hpp"
#include "src/node/system.hpp"

namespace app {

inline constexpr std::size_t kMaxRows = 10'000;  // of a table; more are counted in "left_out"

control::Json show_flows(node::System& system);
control::Json show_endpoints(node::System& system);
control::Json show_layers(node::System& system);
control::Json show_callouts(node::System& system);
control::Json show_filters(node::System& system);
control::Json show_net_events(node::System& system, const NetEvents& events, std::int64_t epoch_ns);
control::Json show_objects();  // what drivers hold, and packets that are out

}  // namespace app
