#include "src/app/output/pcap_file.hpp"

#include <pcap/pcap.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "src/app/files/output_file.hpp"

namespace app::output {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

class PcapFile final : public FrameFile {
 public:
  static std::unique_ptr<FrameFile> open(const std::string& path, LinkType link, std::string& error) {
    auto file = std::make_unique<PcapFile>();
    const int type = link == LinkType::Ethernet ? DLT_EN10MB : DLT_RAW;
    file->capture_.reset(pcap_open_dead_with_tstamp_precision(type, kSnapLength, PCAP_TSTAMP_PRECISION_NANO));
    if (file->capture_ == nullptr) return error = std::strerror(ENOMEM), nullptr;
    auto stream = files::open_output_stream(path, files::kPrivate);
    if (!stream) return error = stream.why(), nullptr;
    file->dump_.reset(pcap_dump_fopen(file->capture_.get(), *stream));
    if (file->dump_ != nullptr) return file;
    error = pcap_geterr(file->capture_.get());  // libpcap has closed it
    return nullptr;
  }
  bool write(const CapturedFrame& frame) override {
    pcap_pkthdr header{};
    header.ts.tv_sec = static_cast<time_t>(frame.time_ns / kNsPerSecond);
    header.ts.tv_usec = static_cast<suseconds_t>(frame.time_ns % kNsPerSecond);  // nanoseconds in such a file
    header.len = static_cast<bpf_u_int32>(frame.bytes.size());
    header.caplen = std::min(header.len, kSnapLength);
    pcap_dump(reinterpret_cast<u_char*>(dump_.get()), &header, reinterpret_cast<const u_char*>(frame.bytes.data()));
    return std::ferror(pcap_dump_file(dump_.get())) == 0;
  }
  bool flush() override { return pcap_dump_flush(dump_.get()) == 0; }

 private:
  struct Close {
    void operator()(pcap_t* capture) const { pcap_close(capture); }
    void operator()(pcap_dumper_t* dump) const { pcap_dump_close(dump); }
  };
  std::unique_ptr<pcap_t, Close> capture_;
  std::unique_ptr<pcap_dumper_t, Close> dump_;
};

}  // namespace

std::unique_ptr<FrameFile> open_pcap_file(const std::string& path, LinkType link, std::string& error) {
  return PcapFile::open(path, link, error);
}

}  // namespace app::output
