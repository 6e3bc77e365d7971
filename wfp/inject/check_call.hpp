// What an injecting call may be refused for, or accused of, before anything is queued. Rules are named by their ids.
#pragma once

#include "wfp/inject/injections.hpp"

namespace wfp::inject {

// STATUS_SUCCESS, or why the call fails: in words, where no rule was reported. Reports broken rules, also ones that do not make the call fail. Completes
// the request: the family of a packet with an IP header is that of the header, and a raw transport send is a network
// send.
NTSTATUS check_call(Injection& injection, std::string& why);

}  // namespace wfp::inject
