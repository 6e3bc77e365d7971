// Engine and enumeration handles of drivers and the numbers that they stand for. Any thread.
#pragma once

#include "fwpmk.h"
#include "wfp/engine/engine.hpp"

namespace wfp::api {

inline HANDLE to_handle(std::uint64_t number) { return reinterpret_cast<HANDLE>(number); }
inline engine::SessionId to_session(HANDLE handle) { return reinterpret_cast<engine::SessionId>(handle); }
inline engine::EnumerationId to_enumeration(HANDLE handle) { return reinterpret_cast<engine::EnumerationId>(handle); }
inline engine::Management& management() { return engine::Engine::current().management(); }

}  // namespace wfp::api
