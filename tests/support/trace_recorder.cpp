#include "tests/support/trace_recorder.hpp"

#include <algorithm>

#include "fwpmk.h"
#include "fwpsk.h"
#include "wfp/model/layer.hpp"

namespace test {
namespace {

std::uint32_t condition_flags(const FWPS_INCOMING_VALUES0& values) {
  const auto field = wfp::model::find_field(*wfp::model::find_layer(values.layerId)->fields, FWPM_CONDITION_FLAGS);
  return field < values.valueCount ? values.incomingValue[field].value.uint32 : 0;
}

}  // namespace

void TraceRecorder::classified(const shim::TraceRecord& record) {
  Classified kept{.time_ns = record.time_ns,
                  .layer = std::string{record.layer_name},
                  .origin = std::string{record.origin},
                  .action = std::string{record.action},
                  .injection_state = std::string{record.injection_state},
                  .protocol = record.protocol,
                  .tcp_flags = record.tcp_flags,
                  .local_port = record.local.port,
                  .remote_port = record.remote.port,
                  .length = record.length,
                  .has_packet = record.has_packet,
                  .absorb = record.absorb,
                  .pended = record.pended,
                  .condition_flags = 0};
  if (const auto* metadata = record.metadata) {
    kept.present = metadata->currentMetadataValues;
    kept.endpoint_handle = metadata->transportEndpointHandle;
    kept.flow_handle = metadata->flowHandle;
    kept.ip_header_size = metadata->ipHeaderSize;
    kept.transport_header_size = metadata->transportHeaderSize;
    kept.compartment = static_cast<std::uint32_t>(metadata->compartmentId);
  }
  if (record.values != nullptr) kept.condition_flags = condition_flags(*record.values);
  ++count_;
  for (const auto& text : {kept.layer, kept.origin, kept.action, kept.injection_state}) mix(text);
  mix(record.local.to_string());
  mix(record.remote.to_string());
  for (const std::uint64_t value :
       {static_cast<std::uint64_t>(kept.time_ns), std::uint64_t{kept.protocol}, std::uint64_t{kept.tcp_flags},
        std::uint64_t{kept.length}, std::uint64_t{kept.absorb}, std::uint64_t{kept.pended},
        std::uint64_t{kept.present}, std::uint64_t{kept.ip_header_size}, std::uint64_t{kept.transport_header_size}})
    mix(value);
  if (keeps_ && records_.size() < kMaxRecords) records_.push_back(std::move(kept));
}

std::vector<Classified> TraceRecorder::at(std::string_view layer, std::string_view origin) const {
  std::vector<Classified> found;
  std::ranges::copy_if(records_, std::back_inserter(found), [&](const Classified& record) {
    return record.layer == layer && (origin.empty() || record.origin == origin);
  });
  return found;
}

std::vector<std::string> TraceRecorder::layers(std::uint16_t port) const {
  std::vector<std::string> found;
  for (const auto& record : records_)
    if (port == 0 || record.local_port == port || record.remote_port == port) found.push_back(record.layer);
  return found;
}

void TraceRecorder::mix(std::uint64_t value) {
  for (int i = 0; i < 8; ++i) hash_ = (hash_ ^ ((value >> (8 * i)) & 0xff)) * 0x100'0000'01b3;
}

void TraceRecorder::mix(std::string_view text) {
  for (const char c : text) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100'0000'01b3;
  mix(text.size());
}

}  // namespace test
