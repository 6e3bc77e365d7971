#include "wfp/kernel/report.hpp"

#include <array>
#include <cstdarg>
#include <cstdio>

#include "wfp/ledger/violation.hpp"

namespace wfp::kernel {

void report_violation(std::string_view rule_id, const std::string& message) {
  ledger::Violation violation;
  violation.rule = rule_id;
  violation.message = message;
  violation.driver = ledger::current_driver();
  ledger::report(std::move(violation));
}

std::string counted(std::size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

std::string text(const char* format, ...) {
  std::array<char, 512> buffer;
  va_list arguments;
  va_start(arguments, format);
  const int size = std::vsnprintf(buffer.data(), buffer.size(), format, arguments);
  va_end(arguments);
  if (size < 0) return format;
  return std::string(buffer.data(), std::min<std::size_t>(static_cast<std::size_t>(size), buffer.size() - 1));
}

}  // namespace wfp::kernel
