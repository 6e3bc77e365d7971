// Engine handles of drivers and the sessions that they stand for. Any thread.
#pragma once

#include "fwpmk.h"
#include "wfp/engine/engine.hpp"

namespace wfp::api {

inline HANDLE to_handle(engine::SessionId session) { return reinterpret_cast<HANDLE>(session); }
inline engine::SessionId to_session(HANDLE handle) { return reinterpret_cast<engine::SessionId>(handle); }
inline engine::Management& management() { return engine::Engine::current().management(); }

}  // namespace wfp::api
