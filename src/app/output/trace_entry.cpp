#include "src/app/output/trace_entry.hpp"

#include <cstring>

#include "fwpsk.h"

namespace app::output {
namespace {

void append_code_point(std::string& text, char32_t c) {
  const auto byte = [&](char32_t value) { text += static_cast<char>(static_cast<unsigned char>(value)); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xc0 | c >> 6), byte(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    byte(0xe0 | c >> 12), byte(0x80 | (c >> 6 & 0x3f)), byte(0x80 | (c & 0x3f));
  } else {
    byte(0xf0 | c >> 18), byte(0x80 | (c >> 12 & 0x3f)), byte(0x80 | (c >> 6 & 0x3f)), byte(0x80 | (c & 0x3f));
  }
}

std::string path_of(const FWP_BYTE_BLOB* blob) {
  if (blob == nullptr || blob->data == nullptr) return {};
  std::u16string text(blob->size / sizeof(char16_t), u'\0');
  std::memcpy(text.data(), blob->data, text.size() * sizeof(char16_t));
  return utf8(text);
}

}  // namespace

std::string utf8(std::u16string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size() && text[i] != 0; ++i) {
    char32_t c = text[i];
    const bool leads = c >= 0xd800 && c < 0xdc00;
    if (leads && i + 1 < text.size() && (text[i + 1] & 0xfc00) == 0xdc00) {
      c = 0x10000 + ((c & 0x3ff) << 10) + (text[++i] & 0x3ffu);
    } else if (c >= 0xd800 && c < 0xe000) {
      c = 0xfffd;
    }
    append_code_point(result, c);
  }
  return result;
}

TraceEntry TraceEntry::of(const shim::TraceRecord& record, std::int64_t epoch_ns) {
  TraceEntry entry;
  entry.time_ns = record.time_ns + epoch_ns;
  entry.layer = record.layer_name;
  entry.direction = record.direction;
  entry.origin = record.origin;
  entry.protocol = record.protocol;
  entry.local = record.local;
  entry.remote = record.remote;
  entry.tcp_flags = record.tcp_flags;
  entry.length = record.length;
  entry.filter_id = record.filter_id;
  entry.callout_id = record.callout_id;
  entry.action = record.action;
  entry.absorb = record.absorb;
  entry.pended = record.pended;
  entry.injection_state = record.injection_state;
  for (const auto& call : record.callouts)
    entry.callouts.push_back({call.filter_id, call.callout_id, {}, call.action});
  if (record.metadata != nullptr) {
    static_assert(sizeof *record.metadata == kMetadataSize);
    std::memcpy(entry.metadata.data(), record.metadata, kMetadataSize);
    if (FWPS_IS_METADATA_FIELD_PRESENT(record.metadata, FWPS_METADATA_FIELD_PROCESS_PATH))
      entry.process_path = path_of(record.metadata->processPath);
  }
  return entry;
}

}  // namespace app::output
