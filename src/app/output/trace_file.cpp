#include "src/app/output/trace_file.hpp"

#include <cerrno>
#include <cstring>

#include "src/app/output/trace_format.hpp"

namespace app::output {

std::unique_ptr<TraceFile> TraceFile::open(const std::string& path, std::string& error) {
  std::FILE* file = std::fopen(path.c_str(), "we");
  if (file == nullptr) {
    error = "--trace " + path + ": " + std::strerror(errno);
    return nullptr;
  }
  return std::unique_ptr<TraceFile>(new TraceFile(path, file));
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
  while (queue_.take(entries)) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const auto line = format_json(entries[i]);
      if (std::fwrite(line.data(), 1, line.size(), file_.get()) == line.size()) continue;
      failure_ = errno != 0 ? errno : EIO;
      return queue_.fail(entries.size() - i);
    }
  }
  if (std::fflush(file_.get()) != 0) failure_ = errno != 0 ? errno : EIO;
}

}  // namespace app::output
