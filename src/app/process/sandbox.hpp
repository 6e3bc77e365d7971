// What the running program may ask of the operating system: a seccomp filter that leaves what moving packets, writing
// recordings and loading drivers take, and refuses the rest, such as starting programs, tracing processes, mounting or
// opening network sockets. A driver is code of somebody else in our process; in Windows it could do all of that, here
// it has no reason to. What is refused ends as a fault that names the call and the driver (fault.cpp).
//
// Not for it: what a driver does to our memory, or with descriptors that are open already.
#pragma once

namespace app {

// Once, after privileges are given up (no_new_privs) and before there are threads; they inherit it. Also makes the process
// one that others of its user cannot look into. Does nothing under a debugger and with sanitizers, which need more. Where
// the kernel does not filter, a warning says so.
void enter_sandbox();

// Whether a debugger traces this process.
bool is_traced();

}  // namespace app
