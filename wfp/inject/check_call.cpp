#include "wfp/inject/check_call.hpp"

#include "fwps/layers.h"
#include "nt/ntstatus.h"
#include "wfp/engine/classify.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/ledger/rules.hpp"
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
  report(ledger::rule::kLockInlineInject,
         kernel::text("%s called inside the classify of a TCP packet at a transport layer, where Windows holds the "
                      "connection's lock. Queue the packet and inject it from a DPC or another thread.",
                      injection.function));
}

// AF_INET or AF_INET6 of the IP header that the data starts with; AF_UNSPEC when it does not.
std::uint16_t family_of_header(const NET_BUFFER_LIST& nbl) {
  std::byte byte{};
  if (ndis::copy_out(nbl, 0, std::span(&byte, 1)) != 1) return AF_UNSPEC;
  const unsigned version = std::to_integer<unsigned>(byte) >> 4;
  const std::size_t size = ndis::data_length(nbl);
  if (version == 4 && size >= 20) return AF_INET;
  return version == 6 && size >= 40 ? AF_INET6 : AF_UNSPEC;
}

// Documented: what is injected is a clone, or a packet that the driver allocated. The indicated packet itself is the
// stack's, which releases it when the classify has returned, whatever became of the injection.
NTSTATUS check_owner(const Injection& injection) {
  if (ndis::origin(*injection.request.nbl) != ndis::Origin::stack) return STATUS_SUCCESS;
  report(
      ledger::rule::kInjectOriginal,
      kernel::text("%s: the NET_BUFFER_LIST is the one that was indicated, which is not the driver's to give away. "
                   "Clone it with FwpsAllocateCloneNetBufferList0 and inject the clone.",
                   injection.function));
  return STATUS_INVALID_PARAMETER;
}

NTSTATUS check_buffers(const Injection& injection) {
  if (injection.request.nbl->Next != nullptr) {
    report(ledger::rule::kNblChainInject,
           kernel::text("%s: a chain of NET_BUFFER_LISTs was given, one is injected at a time. Set "
                        "Next to NULL and inject each of them.",
                        injection.function));
    return STATUS_INVALID_PARAMETER;
  }
  const std::size_t buffers = buffer_count(*injection.request.nbl);
  if (is_receive(injection.request.path) && buffers > 1) {
    report(
        ledger::rule::kNblMultiReceive,
        kernel::text("%s: the NET_BUFFER_LIST has %zu NET_BUFFERs, receive injection allows one; Windows would stop "
                     "with 0x1D3. Make one NET_BUFFER_LIST of each.",
                     injection.function, buffers));
    return STATUS_INVALID_PARAMETER;
  }
  return STATUS_SUCCESS;
}

// The packet brings its own IP header: says its family, and makes a raw transport send a network send.
NTSTATUS check_header(Injection& injection) {
  InjectRequest& request = injection.request;
  const bool is_transport_send = request.path == InjectPath::TransportSend;
  const std::uint16_t family = family_of_header(*request.nbl);
  if (family == AF_UNSPEC) {
    if (is_transport_send)
      report(
          ledger::rule::kInjectSendArgs,
          kernel::text("%s: sendArgs is NULL but the data does not start with an IP header. Only raw packets, which "
                       "bring their own, may omit it: fill in FWPS_TRANSPORT_SEND_PARAMS.",
                       injection.function));
    else
      report(ledger::rule::kNotAnIpHeader,
             kernel::text(
                 "%s: the data does not start with an IP header. Where a layer shows data behind it, retreat by "
                 "ipHeaderSize (and transportHeaderSize) before cloning.",
                 injection.function));
    return STATUS_INVALID_PARAMETER;
  }
  request.address_family = family;
  if (is_transport_send) request.path = InjectPath::NetworkSend;
  return STATUS_SUCCESS;
}

}  // namespace

NTSTATUS check_call(Injection& injection, std::string& why) {
  InjectRequest& request = injection.request;
  if (request.nbl == nullptr || injection.completion == nullptr) {
    why = request.nbl == nullptr ? "netBufferList is NULL" : "completionFn is NULL";
    return STATUS_FWP_NULL_POINTER;
  }
  if (request.nbl->FirstNetBuffer == nullptr) {
    why = "the NET_BUFFER_LIST has no NET_BUFFER";
    return STATUS_INVALID_PARAMETER;
  }
  check_inline(injection);
  if (const NTSTATUS status = check_owner(injection); status != STATUS_SUCCESS) return status;
  if (const NTSTATUS status = check_buffers(injection); status != STATUS_SUCCESS) return status;
  if (request.path == InjectPath::TransportSend && injection.has_send_args) return STATUS_SUCCESS;
  return check_header(injection);
}

}  // namespace wfp::inject
