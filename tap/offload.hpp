// The virtio-net header: what travels in front of every frame on a queue of the device, both ways. It says whether
// the transport checksum is finished, and whether the frame is a large one that stands for many segments. Bytes on
// the wire are little-endian (the device is told so); sizes and offsets are bytes from the start of the frame.
// Source: Virtual I/O Device (VIRTIO) 1.2, 5.1.6; linux/virtio_net.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tap {

enum class GsoType : std::uint8_t { None = 0, Tcp4 = 1, UdpFragment = 3, Tcp6 = 4, UdpSegment = 5 };

// None: nothing is known, verify or trust the bytes as they are. Needed: the field at checksum_start +
// checksum_offset holds only the pseudo header's sum. Valid: the sender's side has verified it.
enum class ChecksumState : std::uint8_t { None, Needed, Valid };

struct VnetHeader {
  GsoType gso_type = GsoType::None;
  bool ecn = false;  // TCP segments of this frame carry CWR on the first one only
  ChecksumState checksum = ChecksumState::None;
  std::uint16_t header_length = 0;  // link, network and transport headers: a hint, and what the kernel keeps linear
  std::uint16_t gso_size = 0;       // payload bytes of each segment
  std::uint16_t checksum_start = 0;
  std::uint16_t checksum_offset = 0;  // from checksum_start

  bool operator==(const VnetHeader&) const = default;
};

// The two sizes a device can be asked for: without and with the (unused) buffer count.
inline constexpr std::size_t kVnetHeaderSizeShort = 10;
inline constexpr std::size_t kVnetHeaderSize = 12;

enum class VnetHeaderFault : std::uint8_t {
  None,
  Truncated,              // fewer bytes than a header
  UnknownFlags,           // a flag that was never negotiated
  UnknownGsoType,         // or one that was never negotiated
  EcnWithoutTcp,          // the ECN bit on what is not a TCP super-frame
  ContradictoryChecksum,  // both "needed" and "valid"
  ChecksumOutside,        // the checksum field does not lie within the frame
  GsoWithoutSize,         // a super-frame with segments of 0 bytes
  GsoWithoutChecksum,     // segmenting rewrites checksums, so one must be offloaded or verified
  GsoHeaderOutside,       // headers longer than the frame
  GsoTooManySegments,     // more segments than one frame may stand for
};
std::string_view describe(VnetHeaderFault fault);

// More segments than this in one super-frame is no traffic but an attack on whoever must segment it.
inline constexpr std::size_t kMaxSegmentsPerFrame = 65535 / 8;

// Checks a header against the frame that follows it. What passes can be handed to the kernel, or segmented.
VnetHeaderFault check(const VnetHeader& header, std::size_t frame_length);

// Parses `bytes` (at least kVnetHeaderSizeShort of them) into `header` and checks it. On a fault `header` is
// unspecified.
VnetHeaderFault decode(std::span<const std::byte> bytes, std::size_t frame_length, VnetHeader& header);

// Writes out.size() bytes (10 or 12); never fails.
void encode(const VnetHeader& header, std::span<std::byte> out);

// What the device's user is ready to be given (and, from the kernel's side, what the kernel may leave undone).
struct Offloads {
  bool checksum = false;  // frames with unfinished checksums; the others need it
  bool tso4 = false;
  bool tso6 = false;
  bool tso_ecn = false;
  bool uso = false;  // UDP segmentation, IPv4 and IPv6; Linux 6.2

  bool operator==(const Offloads&) const = default;

  static constexpr Offloads none() { return {}; }
  static constexpr Offloads checksum_only() { return {.checksum = true}; }
  static constexpr Offloads all() {
    return {.checksum = true, .tso4 = true, .tso6 = true, .tso_ecn = true, .uso = true};
  }
};
std::string to_string(const Offloads& offloads);  // "checksum tso4 tso6", or "none"

}  // namespace tap
