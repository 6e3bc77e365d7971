// The formats of DbgPrint and of the bounded string routines: printf's, plus %I64d, %I32x, %Id, %wZ and %Z (counted
// strings), %ws, %ls and %S (wide, 16-bit), %wc and %C, %hs. Wide text comes out as UTF-8.
#pragma once

#include <cstdarg>
#include <string>

namespace wfp::kernel {

inline constexpr std::size_t kMaxFormattedBytes = 4096;  // longer output is cut

std::string format_text(const char* format, va_list arguments);

}  // namespace wfp::kernel
