// The text form of what the daemon answers: a heading, columns with names, one line each; readable for someone who
// has never seen it. The JSON form is the same object (--json).
#pragma once

#include <string>

#include "src/app/control/message.hpp"

namespace app::control {

// `topic` as in `wfptap show TOPIC`; empty: the result of another command.
std::string show_text(const std::string& topic, const Json& result);

}  // namespace app::control
