// The inner process of `wfptap test`: the daemon, driven by the supervisor's messages (channel.hpp).
#pragma once

#include "src/app/cli/options.hpp"
#include "src/app/supervisor/channel.hpp"

namespace app {

int run_test_role(Channel channel, int report_fd, const TestOptions& options);  // a StackRole

}  // namespace app
