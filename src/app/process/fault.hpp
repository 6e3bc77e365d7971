// When a driver (or we) crash: a report that reads like a bug check, on standard error and to whoever supervises,
// then the end of the process by the signal, so that a core dump or a debugger shows the place. CHECKs of the stack
// and bug checks of the kernel routines come here, too, and what ends a program in other ways: a C++ exception that
// leaves a driver, abort(), what the C library finds broken, exit() inside a driver.
//
// The handler runs in a process that may be broken in any way: first it writes what needs no memory (code,
// parameters, driver, callout, stack), then it lets the recordings catch up, and then it tries the rest (the packet),
// under an alarm that ends the process if that hangs.
#pragma once

#include <functional>
#include <string>

namespace app {

// Once, before there are threads. `tell` gets the text of a bug check besides standard error; it may be called on any
// thread and in a signal handler, where it must only write a descriptor. Sanitizers keep their handlers of crashes.
void install_fault_report(void (*tell)(const char* text, std::size_t size));

// For the calling thread: a stack for the report of a driver that has used up its own. install_fault_report sees to it
// that each thread has one before its first call into a driver.
void use_fault_stack();

// What every end does that leaves time for it: `sentence` on standard error, `report` to whoever supervises, the
// recordings, and the last report (last_report.hpp).
void report_before_end(const std::string& sentence, const std::string& report);
// The end because a driver does not come back, by a signal to the thread that it keeps, which a core dump then shows.
[[noreturn]] void end_by_hang(const std::string& report, int thread);

// Before the end the report waits until `are_written`, for at most 200 ms; it is called in a signal handler.
void wait_for_recordings(bool (*are_written)());
// Last of all, on the thread that faulted: puts what it was doing into the recordings. It may take memory and locks.
void trace_faults_by(void (*trace)());

// Before a driver's first call: its name for the report, by its accounting id.
void remember_driver(unsigned id, const std::string& name);

}  // namespace app
