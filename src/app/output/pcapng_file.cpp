#include "src/app/output/pcapng_file.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "src/app/cli/version.hpp"
#include "src/app/files/output_file.hpp"

namespace app::output {
namespace {

static_assert(std::endian::native == std::endian::little);  // blocks are written as they lie in memory

// Block types and option codes (sections 4 and 3.5 of the draft).
constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a, kInterface = 1, kEnhancedPacket = 6;
constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr std::uint16_t kEndOfOptions = 0, kComment = 1, kApplication = 4, kFlags = 2, kInterfaceName = 2,
                        kTimeResolution = 9;
constexpr std::uint16_t kLinkEthernet = 1, kLinkRaw = 101;
constexpr std::uint32_t kInbound = 1, kOutbound = 2;  // of the flags option
constexpr std::uint8_t kNanoseconds = 9;              // 10^-9

class Block {
 public:
  explicit Block(std::uint32_t type) {
    number(type);
    number(std::uint32_t{0});  // its length, once it is known
  }
  template <typename T>
  Block& number(T value) {
    return raw(std::as_bytes(std::span{&value, 1}));
  }
  Block& raw(stack::Bytes bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  Block& padded(stack::Bytes bytes) {
    raw(bytes);
    bytes_.resize((bytes_.size() + 3) & ~std::size_t{3});
    return *this;
  }
  Block& option(std::uint16_t code, stack::Bytes value) {
    return number(code).number(static_cast<std::uint16_t>(value.size())).padded(value);
  }
  Block& option(std::uint16_t code, std::string_view text) { return option(code, std::as_bytes(std::span{text})); }
  const std::vector<std::byte>& finish() {
    number(kEndOfOptions).number(std::uint16_t{0});
    const auto length = static_cast<std::uint32_t>(bytes_.size() + 4);
    std::memcpy(bytes_.data() + 4, &length, sizeof length);
    number(length);
    return bytes_;
  }

 private:
  std::vector<std::byte> bytes_;
};

class PcapngFile final : public FrameFile {
 public:
  PcapngFile(std::FILE* file, CapturedLink link) : file_(file), link_(std::move(link)) {}

  bool write_headers() {
    const auto program = "wfptap " + std::string(kVersion);
    Block section(kSectionHeader);
    section.number(kByteOrderMagic).number(std::uint16_t{1}).number(std::uint16_t{0}).number(std::int64_t{-1});
    section.option(kApplication, program);
    Block interface(kInterface);
    interface.number(link_.type == LinkType::Ethernet ? kLinkEthernet : kLinkRaw).number(std::uint16_t{0});
    interface.number(kSnapLength).option(kInterfaceName, link_.interface);
    interface.option(kTimeResolution, std::as_bytes(std::span{&kNanoseconds, 1}));
    return put(section) && put(interface);
  }
  bool write(const CapturedFrame& frame) override {
    const auto time = static_cast<std::uint64_t>(frame.time_ns);
    const auto size = static_cast<std::uint32_t>(frame.bytes.size());
    const auto kept = std::min(size, kSnapLength);
    Block packet(kEnhancedPacket);
    packet.number(std::uint32_t{0}).number(static_cast<std::uint32_t>(time >> 32));
    packet.number(static_cast<std::uint32_t>(time)).number(kept).number(size);
    packet.padded(stack::Bytes{frame.bytes}.first(kept));
    const std::uint32_t flags = frame.outbound ? kOutbound : kInbound;
    packet.option(kFlags, std::as_bytes(std::span{&flags, 1}));
    if (const auto comment = large_segment_comment(frame, link_.type); !comment.empty())
      packet.option(kComment, comment);
    return put(packet);
  }
  bool flush() override { return std::fflush(file_.get()) == 0; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  bool put(Block& block) {
    const auto& bytes = block.finish();
    return std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) == bytes.size();
  }
  std::unique_ptr<std::FILE, Close> file_;
  const CapturedLink link_;
};

// Bytes of all headers of a TCP frame; 0 when it is none.
std::size_t header_size(stack::Bytes frame, LinkType link) {
  std::size_t at = link == LinkType::Ethernet ? 14 : 0;
  if (frame.size() < at + 40) return 0;
  const auto version = stack::load_u8(frame, at) >> 4;
  at += version == 4 ? (stack::load_u8(frame, at) & 15u) * 4u : 40u;
  if (frame.size() < at + 20) return 0;
  return at + (stack::load_u8(frame, at + 12) >> 4) * 4u;
}

}  // namespace

std::string large_segment_comment(const CapturedFrame& frame, LinkType link) {
  const auto headers = header_size(frame.bytes, link);
  if (frame.segment_size == 0 || headers == 0 || frame.bytes.size() <= headers) return {};
  const auto payload = frame.bytes.size() - headers;
  const auto count = (payload + frame.segment_size - 1) / frame.segment_size;
  if (count < 2) return {};
  return "large segment: " + std::to_string(count) + " x " + std::to_string(frame.segment_size) + " bytes";
}

std::unique_ptr<FrameFile> open_pcapng_file(const std::string& path, const CapturedLink& link, std::string& error) {
  auto file = files::open_output_stream(path, files::kPrivate);
  if (!file) return error = file.why(), nullptr;
  auto capture = std::make_unique<PcapngFile>(*file, link);
  if (capture->write_headers()) return capture;
  error = path + ": " + std::strerror(errno);
  return nullptr;
}

}  // namespace app::output
