// The members of FWPS_INCOMING_METADATA_VALUES0 as a table, for whoever prints them: name, type, offset, and the bit
// that says that the member is meaningful. In the order of the structure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "fwpsk.h"
#include "src/app/output/trace_entry.hpp"

namespace app::output {

enum class MemberKind : std::uint8_t {
  Number,     // shown as a decimal number in JSON
  Handle,     // opaque: hexadecimal
  Discard,    // FWPS_DISCARD_METADATA0
  Fragment,   // FWPS_INBOUND_FRAGMENT_METADATA0
  Path,       // the blob's text
  Direction,  // FWP_DIRECTION
  Prefix,     // IP_ADDRESS_PREFIX
};

struct MetadataMember {
  std::string_view name;
  std::string_view type;  // as a Windows debugger names it
  std::size_t offset;
  std::size_t size;
  MemberKind kind;
  bool is_l2;         // `bit` is one of currentL2MetadataValues
  std::uint32_t bit;  // 0: always there
};

std::span<const MetadataMember> metadata_members();

// The entry's copy of the structure.
FWPS_INCOMING_METADATA_VALUES0 metadata_of(const TraceEntry& entry);

// Names of the bits that are set, without the FWPS_METADATA_FIELD_ prefix, blanks between them.
std::string metadata_bit_names(std::uint32_t bits);

bool is_present(const MetadataMember& member, const FWPS_INCOMING_METADATA_VALUES0& metadata);
// The member's bytes as a number; members of up to 8 bytes.
std::uint64_t number_of(const MetadataMember& member, const FWPS_INCOMING_METADATA_VALUES0& metadata);

}  // namespace app::output
