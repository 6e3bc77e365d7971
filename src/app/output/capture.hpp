// --pcap: every frame that crosses the device, in a capture file, written by a thread of its own. frame() is called
// on the stack's thread and copies; when the disk cannot follow it waits, so that nothing is missing. A file that
// cannot be written any more costs the rest of the capture, which is counted (lost_count) and said in error().
#pragma once

#include <memory>
#include <thread>

#include "src/app/output/frame_file.hpp"
#include "src/app/output/record_queue.hpp"
#include "src/app/output/wall_clock.hpp"
#include "src/node/node.hpp"

namespace app::output {

class Capture final : public node::FrameObserver {
 public:
  static constexpr std::size_t kMaxQueued = 1024;  // frames

  // Null on failure, with `error` set. Each frame has the time at which it is seen here, not that of the stack's turn.
  static std::unique_ptr<Capture> open(const std::string& path, const CapturedLink& link, WallClock clock,
                                       std::string& error);
  ~Capture() override;

  void frame(stack::Direction direction, stack::Bytes bytes, std::uint32_t segment_size, stack::Instant now) override;
  // Begins to write; a program gives up its privileges before it has threads.
  void start();
  void end() { queue_.stop(); }  // records no more; on the thread that records
  // Writes what is queued and closes the file. Call when no frame comes any more.
  void close();
  std::uint64_t lost_count() const { return queue_.lost(); }
  std::string error() const;  // after close(); empty: all was written

 private:
  Capture(std::string path, std::unique_ptr<FrameFile> file, WallClock clock)
      : path_(std::move(path)), file_(std::move(file)), clock_(std::move(clock)) {}
  void write_all();

  std::string path_;
  std::unique_ptr<FrameFile> file_;
  const WallClock clock_;
  RecordQueue<CapturedFrame> queue_{kMaxQueued};
  int failure_ = 0;  // an errno value; written by the thread before it ends
  std::thread thread_;
};

}  // namespace app::output
