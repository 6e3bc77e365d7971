#include "src/app/output/trace_file.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "src/app/files/output_file.hpp"
#include "src/app/output/trace_format.hpp"

namespace app::output {
namespace {

constexpr std::size_t kLinesTogether = 64 * 1024;  // bytes of one write

}  // namespace

std::unique_ptr<TraceFile> TraceFile::open(const std::string& path, std::string& error) {
  auto file = files::open_output_file(path, files::kPrivate);
  if (!file) return error = "--trace " + file.why(), nullptr;
  return std::unique_ptr<TraceFile>(new TraceFile(path, std::move(*file)));
}

void TraceFile::start() {
  thread_ = std::thread([this] { write_all(); });
}

void TraceFile::close() {
  queue_.stop();
  if (thread_.joinable()) thread_.join();
  file_.reset();
}

std::string TraceFile::error() const {
  if (failure_ == 0) return {};
  return "--trace " + path_ + ": " + std::strerror(failure_) + "; " + std::to_string(queue_.lost()) +
         " records are missing";
}

void TraceFile::write_all() {
  std::vector<TraceEntry> entries;
  std::string lines;
  while (queue_.take(entries)) {
    std::size_t written = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      lines += format_json(entries[i]);
      if (lines.size() < kLinesTogether && i + 1 < entries.size()) continue;
      if (!write_lines(lines)) return queue_.fail(entries.size() - written);
      lines.clear();
      written = i + 1;
    }
    queue_.all_written();
  }
}

bool TraceFile::write_lines(std::string_view lines) {
  while (!lines.empty()) {
    const auto written = ::write(file_.get(), lines.data(), lines.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      failure_ = errno != 0 ? errno : EIO;
      return false;
    }
    lines.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace app::output
