#include "wfp/inject/checks.hpp"

#include "fwps/layers.h"
#include "nt/ntstatus.h"
#include "wfp/engine/classify.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/ledger/violation.hpp"
#include "wfp/ndis/chain.hpp"
#include "ws2def.h"

namespace wfp::inject {
namespace {

constexpr std::uint8_t kTcp = 6;

void report(const char* rule, std::string message) {
  ledger::report({.rule = rule, .message = std::move(message), .packet = {}, .stack = {}});
}

std::size_t buffer_count(const NET_BUFFER_LIST& nbl) {
  std::size_t count = 0;
  for (const NET_BUFFER* nb = nbl.FirstNetBuffer; nb != nullptr; nb = nb->Next) ++count;
  return count;
}

bool is_receive(InjectPath path) {
  return path == InjectPath::NetworkReceive || path == InjectPath::TransportReceive;
}

bool is_transport_layer(std::uint16_t layer) {
  return layer == FWPS_LAYER_INBOUND_TRANSPORT_V4 || layer == FWPS_LAYER_INBOUND_TRANSPORT_V6 ||
         layer == FWPS_LAYER_OUTBOUND_TRANSPORT_V4 || layer == FWPS_LAYER_OUTBOUND_TRANSPORT_V6;
}

// Documented: TCP is injected out of band, because the connection's lock is held during its classify.
void check_inline(const Injection& injection) {
  const engine::CurrentClassify* const current = engine::current_classify();
  if (current == nullptr || current->input->protocol != kTcp || !is_transport_layer(current->layer)) return;
  if (injection.request.path == InjectPath::NetworkSend || injection.request.path == InjectPath::NetworkReceive)
    return;
  const std::string packet = current->input->describer != nullptr ? current->input->describer->describe() : "";
  ledger::report(
      {.rule = "LOCK-INLINE-INJECT",
       .message = kernel::text("%s called inside the classify of a TCP packet at a transport layer, where "
                               "Windows holds the connection's lock. Queue the packet and inject it from a "
                               "DPC or another thread.",
                               injection.function),
       .packet = packet,
       .stack = {}});
}

bool starts_with_ip(const Injection& injection) {
  const auto* const first = ndis::contiguous(*injection.request.nbl, 0, 1);
  std::byte byte{};
  if (first != nullptr)
    byte = *first;
  else if (ndis::copy_out(*injection.request.nbl, 0, std::span(&byte, 1)) != 1)
    return false;
  const unsigned version = std::to_integer<unsigned>(byte) >> 4;
  const std::size_t smallest = version == 6 ? 40 : 20;
  return (version == 4 || version == 6) && ndis::data_length(*injection.request.nbl) >= smallest;
}

}  // namespace

NTSTATUS check_call(const Injection& injection) {
  if (injection.request.nbl == nullptr || injection.completion == nullptr) return STATUS_FWP_NULL_POINTER;
  const NET_BUFFER_LIST& nbl = *injection.request.nbl;
  check_inline(injection);
  if (nbl.Next != nullptr) {
    report("NBL-CHAIN-INJECT",
           kernel::text("%s: a chain of NET_BUFFER_LISTs was given, one is injected at a time. Set "
                        "Next to NULL and inject each of them.",
                        injection.function));
    return STATUS_INVALID_PARAMETER;
  }
  const std::size_t buffers = buffer_count(nbl);
  if (buffers == 0) return STATUS_INVALID_PARAMETER;
  if (is_receive(injection.request.path) && buffers > 1) {
    report(
        "NBL-MULTI-NB-RECV",
        kernel::text("%s: the NET_BUFFER_LIST has %zu NET_BUFFERs, receive injection allows one; Windows would stop "
                     "with 0x1D3. Make one NET_BUFFER_LIST of each.",
                     injection.function, buffers));
    return STATUS_INVALID_PARAMETER;
  }
  if (injection.request.path != InjectPath::TransportSend && !starts_with_ip(injection)) {
    report(
        "OFS-NOT-AN-IP-HEADER",
        kernel::text("%s: the data does not start with an IP header. Where a layer shows data behind it, retreat by "
                     "ipHeaderSize (and transportHeaderSize) before cloning.",
                     injection.function));
    return STATUS_INVALID_PARAMETER;
  }
  return STATUS_SUCCESS;
}

}  // namespace wfp::inject
