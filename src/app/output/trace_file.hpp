// --trace FILE: every classify call as one JSON object a line, written by a thread of its own. Like Capture, it makes
// the stack wait when the disk cannot follow, and counts and says what it could not write. Each write() has whole lines:
// however the process ends, the file has no half of one.
#pragma once

#include <memory>
#include <thread>

#include "src/app/output/record_queue.hpp"
#include "src/app/output/trace_entry.hpp"
#include "tap/file_descriptor.hpp"

namespace app::output {

class TraceFile {
 public:
  static constexpr std::size_t kMaxQueued = 8192;  // records

  static std::unique_ptr<TraceFile> open(const std::string& path, std::string& error);
  ~TraceFile() { close(); }

  void start();  // begins to write; a program gives up its privileges before it has threads
  void write(TraceEntry entry) { queue_.push(std::move(entry)); }
  void end() { queue_.stop(); }  // records no more; on the thread that records
  void close();                  // writes what is queued; nothing may come any more
  std::string error() const;     // after close(); empty: all was written

 private:
  TraceFile(std::string path, tap::FileDescriptor file) : path_(std::move(path)), file_(std::move(file)) {}
  void write_all();
  bool write_lines(std::string_view lines);  // false: failure_ is set

  std::string path_;
  tap::FileDescriptor file_;
  RecordQueue<TraceEntry> queue_{kMaxQueued};
  int failure_ = 0;  // an errno value; written by the thread before it ends
  std::thread thread_;
};

}  // namespace app::output
