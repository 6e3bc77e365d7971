// pcapng (draft-ietf-opsawg-pcapng): what libpcap reads but cannot write. One section, one interface, little endian.
#pragma once

#include "src/app/output/frame_format.hpp"

namespace app::output {

std::unique_ptr<FrameFile> open_pcapng_file(const std::string& path, LinkType link, std::string& error);

}  // namespace app::output
