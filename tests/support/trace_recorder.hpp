// Keeps what the shim traces, in plain values that outlive the classify, and a hash over all of it.
#pragma once

#include <string>
#include <vector>

#include "src/shim/trace.hpp"

namespace test {

struct Classified {
  std::int64_t time_ns = 0;
  std::string layer;  // OUTBOUND_TRANSPORT_V4
  std::string origin, action, injection_state;
  std::uint8_t protocol = 0, tcp_flags = 0;
  std::uint16_t local_port = 0, remote_port = 0;
  std::uint32_t length = 0;
  bool has_packet = false, absorb = false, pended = false;
  std::uint32_t condition_flags = 0;  // FWP_CONDITION_FLAG_*; 0 at layers without the field
  // Metadata. A member whose flag is absent is what the structure held.
  std::uint32_t present = 0;  // currentMetadataValues
  std::uint64_t endpoint_handle = 0, flow_handle = 0;
  std::uint32_t ip_header_size = 0, transport_header_size = 0, compartment = 0;
};

class TraceRecorder final : public shim::TraceSink {
 public:
  void classified(const shim::TraceRecord& record) override;

  std::uint64_t hash() const { return hash_; }
  std::size_t count() const { return count_; }
  void keep(bool on) { keeps_ = on; }  // false: count and hash only
  void clear() { records_.clear(); }
  const std::vector<Classified>& records() const { return records_; }
  std::vector<Classified> at(std::string_view layer, std::string_view origin = {}) const;
  // The layers in order, of records where `port` is the local or the remote one; 0: all.
  std::vector<std::string> layers(std::uint16_t port) const;

 private:
  static constexpr std::size_t kMaxRecords = 200'000;
  void mix(std::uint64_t value);
  void mix(std::string_view text);

  std::vector<Classified> records_;
  std::uint64_t hash_ = 0xcbf2'9ce4'8422'2325;  // FNV-1a
  std::size_t count_ = 0;
  bool keeps_ = true;
};

}  // namespace test
