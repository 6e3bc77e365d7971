#include "src/app/output/capture.hpp"

#include <cerrno>
#include <cstring>

namespace app::output {

std::unique_ptr<Capture> Capture::open(const std::string& path, const CapturedLink& link, WallClock clock,
                                       std::string& error) {
  auto file = open_frame_file(path, link, error);
  if (!file) {
    error = "--pcap: " + error;
    return nullptr;
  }
  return std::unique_ptr<Capture>(new Capture(path, std::move(file), std::move(clock)));
}

void Capture::start() {
  thread_ = std::thread([this] { write_all(); });
}

Capture::~Capture() { close(); }

void Capture::frame(stack::Direction direction, stack::Bytes bytes, std::uint32_t segment_size, stack::Instant) {
  queue_.push({clock_(), direction == stack::Direction::Outbound, segment_size,
               std::vector<std::byte>(bytes.begin(), bytes.end())});
}

void Capture::close() {
  queue_.stop();
  if (thread_.joinable()) thread_.join();
  file_.reset();
}

std::string Capture::error() const {
  if (failure_ == 0) return {};
  return "--pcap " + path_ + ": " + std::strerror(failure_) + "; " + std::to_string(queue_.lost()) +
         " frames are missing";
}

void Capture::write_all() {
  std::vector<CapturedFrame> frames;
  file_->flush();  // the header: a file is readable from the beginning
  while (queue_.take(frames)) {
    for (std::size_t i = 0; i < frames.size(); ++i) {
      if (file_->write(frames[i])) continue;
      failure_ = errno != 0 ? errno : EIO;
      return queue_.fail(frames.size() - i);
    }
    if (!queue_.is_empty()) continue;
    if (!file_->flush()) {  // how many of them are in the file nobody knows
      failure_ = errno != 0 ? errno : EIO;
      return queue_.fail(frames.size());
    }
    queue_.all_written();
  }
}

}  // namespace app::output
