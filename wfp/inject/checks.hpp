// What an injecting call may be refused for, or accused of, before anything is queued. Rules are named by their ids.
#pragma once

#include "wfp/inject/injections.hpp"

namespace wfp::inject {

// STATUS_SUCCESS, or why the call fails. Reports broken rules, also ones that do not make the call fail.
NTSTATUS check_call(const Injection& injection);

}  // namespace wfp::inject
