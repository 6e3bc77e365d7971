// Where the control socket is. A client looks at --control, then at WFPTAP_CONTROL, then at the default place; a
// daemon at
// --control and the default place.
#pragma once

#include <string>

namespace app::control {

// /run/wfptap.sock for root, else wfptap.sock in XDG_RUNTIME_DIR, else /tmp/wfptap-UID.sock.
std::string default_socket_path();
std::string client_socket_path(const std::string& given);
std::string daemon_socket_path(const std::string& given);

}  // namespace app::control
