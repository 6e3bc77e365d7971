#include "src/app/process/logging.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace app {
namespace {

spdlog::level::level_enum level_of(stack::LogLevel level) {
  switch (level) {
    case stack::LogLevel::Debug:
      return spdlog::level::debug;
    case stack::LogLevel::Info:
      return spdlog::level::info;
    case stack::LogLevel::Warning:
      return spdlog::level::warn;
    case stack::LogLevel::Error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

Logging::Logging(stack::LogLevel least) {
  auto logger = std::make_shared<spdlog::logger>("wfptap", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_pattern("%H:%M:%S.%e %^%l%$ %v");
  logger->set_level(level_of(least));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

Logging::~Logging() { spdlog::default_logger()->flush(); }

void Logging::write(stack::LogLevel level, std::string_view area, std::string_view message) {
  spdlog::log(level_of(level), "{}: {}", area, message);
}

void Logging::debug_print(std::string_view driver, unsigned level, std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  const auto severity = level == 0   ? stack::LogLevel::Error
                        : level == 1 ? stack::LogLevel::Warning
                                     : stack::LogLevel::Info;
  write(severity, driver.empty() ? "driver" : driver, text);
}

}  // namespace app
