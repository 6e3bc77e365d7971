// Capture file formats. Both hold whole frames with nanosecond times. Only pcapng can say more about a frame than its
// bytes: there a large segment carries the comment "large segment: 12 x 1448 bytes" and every frame its direction. In
// classic pcap a large segment is told by its length alone. The file's name decides: .pcapng, or anything else for
// classic pcap.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "stack/base/bytes.hpp"

namespace app::output {

struct CapturedFrame {
  std::int64_t time_ns = 0;        // since 1970
  bool outbound = false;           // sent by the stack
  std::uint32_t segment_size = 0;  // payload of each segment of a large one, else 0
  std::vector<std::byte> bytes;
};

enum class LinkType { Ethernet, RawIp };

// What the frames cross.
struct CapturedLink {
  LinkType type = LinkType::Ethernet;
  std::string interface;  // its name, which only pcapng can keep
};

class FrameFile {
 public:
  virtual ~FrameFile() = default;  // closes
  // False: the frame could not be written; errno says why.
  virtual bool write(const CapturedFrame& frame) = 0;
  virtual bool flush() = 0;
};

inline constexpr std::uint32_t kSnapLength = 262'144;  // whole frames: the longest has 65,549 bytes

// Null on failure, with `error` saying why.
std::unique_ptr<FrameFile> open_frame_file(const std::string& path, const CapturedLink& link, std::string& error);

}  // namespace app::output
