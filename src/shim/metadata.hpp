// FWPS_INCOMING_METADATA_VALUES0: which members are meaningful at which layer, and their values.
//
// Every member whose flag is not set is zero. The flags of each layer are the documented ones; where crash dumps show
// something else than the documentation, the dumps win:
//
//   OUTBOUND_TRANSPORT  0x8cc0, transportEndpointHandle zero: a segment that no endpoint owns, such as the RST that
//                       answers an unmatched segment, or the ACK from TIME-WAIT
//                       0x8cc2 with handle and flow: every other segment of a flow
//   INBOUND_TRANSPORT   0x0c84: no endpoint takes part, as in TIME-WAIT
//                       0x8c86: a segment of a flow
//                       0x408c84: before there is a flow, such as a SYN; ALE is about to be asked
//
// Metadata objects own what their pointers lead to; they are made on the stack for one classification.
#pragma once

#include <cstdint>
#include <cstring>

#include "fwpsk.h"
#include "src/shim/facts.hpp"

namespace shim {

// What engine-internal members show where they are present: a constant with no meaning, as drivers must assume.
inline constexpr std::uint64_t kOpaqueReserved = 0xffff'9d80'5f0c'2a70;

// What an authorization needs beside the operation itself.
struct AuthorizationHandles {
  std::uint64_t flow = 0;       // zero: none
  HANDLE completion = nullptr;  // null: this classification cannot be pended
  bool reauthorization = false;
};

class Metadata {
 public:
  static Metadata inbound_ip(const stack::PacketContext& context);
  static Metadata outbound_ip(const stack::PacketContext& context);
  static Metadata inbound_transport(const stack::PacketContext& context);
  // `control_endpoint`: shown for a packet without an endpoint; zero shows what Windows does.
  static Metadata outbound_transport(const stack::PacketContext& context, stack::EndpointId control_endpoint);
  static Metadata resource(const stack::Operation& operation, HANDLE completion);  // bind, listen
  static Metadata connect(const stack::Operation& operation, const AuthorizationHandles& handles);
  static Metadata accept(const stack::Operation& operation, const AuthorizationHandles& handles);
  static Metadata established(const stack::Operation& operation, std::uint64_t flow);

  Metadata(const Metadata& other) : process_path_(other.process_path_) {
    std::memcpy(&values_, &other.values_, sizeof(values_));
    bind_pointers();
  }
  Metadata& operator=(const Metadata&) = delete;

  void set_discard(FWPS_DISCARD_MODULE0 module, std::uint32_t reason, std::uint64_t filter_id);
  const FWPS_INCOMING_METADATA_VALUES0& get() const { return values_; }

 private:
  // Byte by byte: a driver sees the padding, too, and must not find there what our stack held before.
  Metadata() { std::memset(&values_, 0, sizeof(values_)); }
  void bind_pointers() {
    if (values_.processPath != nullptr) values_.processPath = &process_path_;
  }
  void present(std::uint32_t flags) { values_.currentMetadataValues |= flags; }
  void set_compartment();
  void set_ip_header(std::uint32_t size);
  void set_transport_header(std::uint32_t size);
  void set_endpoint(stack::EndpointId endpoint);
  void set_parent(stack::EndpointId parent);
  void set_flow(std::uint64_t flow);
  void set_icmp(bool present, std::uint32_t id_and_sequence);
  void set_fragment(const stack::FragmentFacts& fragment);
  void set_remote_scope(const stack::IpAddress& remote, std::uint32_t interface_index);
  void set_owner(const stack::Owner* owner);
  void set_authorization(const stack::Operation& operation, const AuthorizationHandles& handles);

  FWPS_INCOMING_METADATA_VALUES0 values_;
  FWP_BYTE_BLOB process_path_{};
};

}  // namespace shim
