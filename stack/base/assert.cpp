#include "stack/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace stack {
namespace {
FaultHandler fault_handler = nullptr;
}

void set_fault_handler(FaultHandler handler) { fault_handler = handler; }

void fail_check(const char* expression, SourceLocation where) {
  if (fault_handler != nullptr) fault_handler(expression, where);
  std::fprintf(stderr, "%s:%u: check failed in %s: %s\n", where.file_name(), where.line(), where.function_name(),
               expression);
  std::abort();
}

}  // namespace stack
