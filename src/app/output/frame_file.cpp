#include "src/app/output/frame_file.hpp"

#include "src/app/output/pcap_file.hpp"
#include "src/app/output/pcapng_file.hpp"

namespace app::output {

std::unique_ptr<FrameFile> open_frame_file(const std::string& path, const CapturedLink& link, std::string& error) {
  return path.ends_with(".pcapng") ? open_pcapng_file(path, link, error) : open_pcap_file(path, link.type, error);
}

}  // namespace app::output
