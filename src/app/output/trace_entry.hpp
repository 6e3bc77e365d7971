// A classify call as it is kept: a copy of shim::TraceRecord that outlives the call, with what its pointers led to.
// Its texts that are constants of the program (layer, origin, action, injection state) stay views.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "src/shim/trace.hpp"

namespace app::output {

struct TraceEntry {
  std::int64_t time_ns = 0;  // since 1970
  std::string_view layer;    // without the prefix
  stack::Direction direction = stack::Direction::Inbound;
  std::string_view origin;
  std::uint8_t protocol = 0;
  stack::SocketAddress local, remote;
  std::uint8_t tcp_flags = 0;
  std::uint32_t length = 0;
  std::uint64_t filter_id = 0;
  std::uint32_t callout_id = 0;
  std::string driver;  // that registered the callout
  std::string_view action;
  bool absorb = false;
  bool pended = false;
  std::string_view injection_state;
  struct Call {
    std::uint64_t filter_id = 0;
    std::uint32_t callout_id = 0;
    std::string driver;
    std::string_view action;
  };
  std::vector<Call> callouts;  // all that were asked, in order
  // The bytes of FWPS_INCOMING_METADATA_VALUES0, whose pointers are not to be followed any more. Opaque here, because
  // the Windows-named socket headers do not go together with the system's; metadata_members.hpp reads them.
  static constexpr std::size_t kMetadataSize = 0x118;
  alignas(8) std::array<std::byte, kMetadataSize> metadata{};
  std::string process_path;  // UTF-8

  // `epoch_ns`: what makes the record's time nanoseconds since 1970.
  static TraceEntry of(const shim::TraceRecord& record, std::int64_t epoch_ns);
};

// UTF-8 of UTF-16; unpaired surrogates become U+FFFD. Stops at a terminator.
std::string utf8(std::u16string_view text);

}  // namespace app::output
