// pcapng (draft-ietf-opsawg-pcapng): what libpcap reads but cannot write. One section, one interface, little endian.
#pragma once

#include "src/app/output/frame_file.hpp"

namespace app::output {

std::unique_ptr<FrameFile> open_pcapng_file(const std::string& path, const CapturedLink& link, std::string& error);

// How many segments of what payload a large frame stands for; empty for any other.
std::string large_segment_comment(const CapturedFrame& frame, LinkType link);

}  // namespace app::output
