#include "tap/offload.hpp"

#include <algorithm>
#include <array>

namespace tap {
namespace {

constexpr std::uint8_t kFlagNeedsChecksum = 1;
constexpr std::uint8_t kFlagDataValid = 2;
constexpr std::uint8_t kGsoEcn = 0x80;
constexpr std::size_t kChecksumSize = 2;

std::uint16_t load_le16(std::span<const std::byte> bytes, std::size_t at) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[at]) | std::to_integer<unsigned>(bytes[at + 1])
                                                                               << 8);
}

void store_le16(std::span<std::byte> bytes, std::size_t at, std::uint16_t value) {
  bytes[at] = static_cast<std::byte>(value & 0xff);
  bytes[at + 1] = static_cast<std::byte>(value >> 8);
}

bool is_known(std::uint8_t gso_type) {
  constexpr std::array kKnown{GsoType::None, GsoType::Tcp4, GsoType::UdpFragment, GsoType::Tcp6, GsoType::UdpSegment};
  return std::find(kKnown.begin(), kKnown.end(), static_cast<GsoType>(gso_type)) != kKnown.end();
}

bool is_tcp(GsoType type) { return type == GsoType::Tcp4 || type == GsoType::Tcp6; }

VnetHeaderFault check_gso(const VnetHeader& header, std::size_t frame_length) {
  if (header.ecn && !is_tcp(header.gso_type)) return VnetHeaderFault::EcnWithoutTcp;
  if (header.gso_type == GsoType::None) return VnetHeaderFault::None;
  if (header.gso_size == 0) return VnetHeaderFault::GsoWithoutSize;
  if (header.checksum == ChecksumState::None) return VnetHeaderFault::GsoWithoutChecksum;
  if (header.header_length > frame_length) return VnetHeaderFault::GsoHeaderOutside;
  if (frame_length / header.gso_size > kMaxSegmentsPerFrame) return VnetHeaderFault::GsoTooManySegments;
  return VnetHeaderFault::None;
}

}  // namespace

std::string_view describe(VnetHeaderFault fault) {
  switch (fault) {
    case VnetHeaderFault::None:
      return "well formed";
    case VnetHeaderFault::Truncated:
      return "shorter than a virtio-net header";
    case VnetHeaderFault::UnknownFlags:
      return "unknown flag";
    case VnetHeaderFault::UnknownGsoType:
      return "unknown segmentation type";
    case VnetHeaderFault::EcnWithoutTcp:
      return "ECN mark without TCP segmentation";
    case VnetHeaderFault::ContradictoryChecksum:
      return "checksum both missing and verified";
    case VnetHeaderFault::ChecksumOutside:
      return "checksum field outside the frame";
    case VnetHeaderFault::GsoWithoutSize:
      return "segments of 0 bytes";
    case VnetHeaderFault::GsoWithoutChecksum:
      return "segmentation without checksum offload";
    case VnetHeaderFault::GsoHeaderOutside:
      return "headers longer than the frame";
    case VnetHeaderFault::GsoTooManySegments:
      return "too many segments in one frame";
  }
  return "unknown fault";
}

VnetHeaderFault check(const VnetHeader& header, std::size_t frame_length) {
  if (header.checksum == ChecksumState::Needed) {
    const std::size_t end = std::size_t{header.checksum_start} + header.checksum_offset + kChecksumSize;
    if (end > frame_length) return VnetHeaderFault::ChecksumOutside;
  }
  return check_gso(header, frame_length);
}

VnetHeaderFault decode(std::span<const std::byte> bytes, std::size_t frame_length, VnetHeader& header) {
  if (bytes.size() < kVnetHeaderSizeShort) return VnetHeaderFault::Truncated;
  const auto flags = std::to_integer<std::uint8_t>(bytes[0]);
  const auto gso = std::to_integer<std::uint8_t>(bytes[1]);
  const auto gso_type = static_cast<std::uint8_t>(gso & ~kGsoEcn);
  if ((flags & ~(kFlagNeedsChecksum | kFlagDataValid)) != 0) return VnetHeaderFault::UnknownFlags;
  if (flags == (kFlagNeedsChecksum | kFlagDataValid)) return VnetHeaderFault::ContradictoryChecksum;
  if (!is_known(gso_type)) return VnetHeaderFault::UnknownGsoType;

  header.gso_type = static_cast<GsoType>(gso_type);
  header.ecn = (gso & kGsoEcn) != 0;
  header.checksum = flags == kFlagNeedsChecksum ? ChecksumState::Needed
                    : flags == kFlagDataValid   ? ChecksumState::Valid
                                                : ChecksumState::None;
  header.header_length = load_le16(bytes, 2);
  header.gso_size = load_le16(bytes, 4);
  header.checksum_start = load_le16(bytes, 6);
  header.checksum_offset = load_le16(bytes, 8);
  return check(header, frame_length);
}

void encode(const VnetHeader& header, std::span<std::byte> out) {
  std::fill(out.begin(), out.end(), std::byte{0});
  if (out.size() < kVnetHeaderSizeShort) return;
  if (header.checksum == ChecksumState::Needed) out[0] = std::byte{kFlagNeedsChecksum};
  if (header.checksum == ChecksumState::Valid) out[0] = std::byte{kFlagDataValid};
  out[1] = static_cast<std::byte>(static_cast<unsigned>(header.gso_type) | (header.ecn ? kGsoEcn : 0U));
  store_le16(out, 2, header.header_length);
  store_le16(out, 4, header.gso_size);
  store_le16(out, 6, header.checksum_start);
  store_le16(out, 8, header.checksum_offset);
}

std::string to_string(const Offloads& offloads) {
  std::string text;
  const auto add = [&text](bool on, std::string_view name) {
    if (!on) return;
    if (!text.empty()) text += ' ';
    text += name;
  };
  add(offloads.checksum, "checksum");
  add(offloads.tso4, "tso4");
  add(offloads.tso6, "tso6");
  add(offloads.tso_ecn, "tso_ecn");
  add(offloads.uso, "uso");
  return text.empty() ? "none" : text;
}

}  // namespace tap
