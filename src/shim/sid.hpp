// Security identifiers from their text form (S-1-5-18) to the bytes that WFP shows.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace shim {

// Writes the SID of `text`, or the null SID (S-1-0-0: nobody) when the text is empty or not a SID.
void write_sid(std::string_view text, std::span<std::uint8_t, 68> into);

}  // namespace shim
