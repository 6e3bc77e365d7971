// Log messages of the program, the stack and the drivers (DbgPrint), through spdlog to standard error. Any thread.
#pragma once

#include <string_view>

#include "stack/base/log.hpp"

namespace app {

class Logging final : public stack::LogSink {
 public:
  explicit Logging(stack::LogLevel least);
  ~Logging() override;
  void write(stack::LogLevel level, std::string_view area, std::string_view message) override;
  // A driver's DbgPrintEx: its level is the documented one, 0 error to 3 information.
  void debug_print(std::string_view driver, unsigned level, std::string_view text);
};

}  // namespace app
