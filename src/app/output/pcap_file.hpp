// Classic pcap with nanosecond times, through libpcap.
#pragma once

#include "src/app/output/frame_file.hpp"

namespace app::output {

std::unique_ptr<FrameFile> open_pcap_file(const std::string& path, LinkType link, std::string& error);

}  // namespace app::output
