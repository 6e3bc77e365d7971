// Where the stack's rare messages go (a limit reached, an address in use). Packets are never logged; they are
// counted.
#pragma once

#include <cstdint>
#include <string_view>

namespace stack {

enum class LogLevel : std::uint8_t { Debug, Info, Warning, Error };

class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void write(LogLevel level, std::string_view area, std::string_view message) = 0;
};

}  // namespace stack
