// Tells whoever started the daemon that everything is usable, or that it is ending: systemd over NOTIFY_SOCKET,
// others over a descriptor (--ready-fd), which gets the line "ready" and is closed.
#pragma once

namespace app {

void notify_ready(int ready_fd);  // -1: none
void notify_stopping();

}  // namespace app
