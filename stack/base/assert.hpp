// Assertions for our own bugs. They stay on in release builds; bad input never reaches them, it is counted as a Drop.
#pragma once

namespace stack {

// Where a check stands. std::source_location is not usable with clang 14, the builtins under it are.
class SourceLocation {
 public:
  static constexpr SourceLocation current(const char* file = __builtin_FILE(),
                                          const char* function = __builtin_FUNCTION(),
                                          unsigned line = __builtin_LINE()) {
    return SourceLocation{file, function, line};
  }
  constexpr const char* file_name() const { return file_; }
  constexpr const char* function_name() const { return function_; }
  constexpr unsigned line() const { return line_; }

 private:
  constexpr SourceLocation(const char* file, const char* function, unsigned line)
      : file_(file), function_(function), line_(line) {}
  const char* file_;
  const char* function_;
  unsigned line_;
};

// Reports the failed expression through the fault handler (by default: standard error) and ends the process.
[[noreturn]] void fail_check(const char* expression, SourceLocation where = SourceLocation::current());

// What a failed check calls before the process ends; the daemon installs its fault report here. Set once, at start.
using FaultHandler = void (*)(const char* expression, const SourceLocation& where);
void set_fault_handler(FaultHandler handler);

}  // namespace stack

#define CHECK(expression) ((expression) ? void(0) : ::stack::fail_check(#expression))
#ifdef NDEBUG
#define DCHECK(expression) void(0)
#else
#define DCHECK(expression) CHECK(expression)
#endif
