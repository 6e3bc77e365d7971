// Dispatcher objects from the inside: how they are made and recognised.
#pragma once

#include "wfp/kernel/thread.hpp"

namespace wfp::kernel {

void init_header(DISPATCHER_HEADER& header, DispatchType type, LONG state);
bool is_dispatcher_object(const void* object);  // false for null and for memory that no KeInitialize routine saw
const char* kind_name(const DISPATCHER_HEADER& header);

}  // namespace wfp::kernel
