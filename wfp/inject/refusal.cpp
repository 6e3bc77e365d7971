#include "wfp/inject/refusal.hpp"

#include "nt/ntstatus.h"
#include "wfp/kernel/report.hpp"
#include "wfp/ledger/rules.hpp"
#include "wfp/ledger/violation.hpp"

namespace wfp::inject {
namespace {

const char* name_of(NTSTATUS status) {
  switch (status) {
    case STATUS_INVALID_PARAMETER:
      return "STATUS_INVALID_PARAMETER";
    case STATUS_FWP_NULL_POINTER:
      return "STATUS_FWP_NULL_POINTER";
    case STATUS_FWP_INJECT_HANDLE_STALE:
      return "STATUS_FWP_INJECT_HANDLE_STALE";
    case STATUS_FWP_INJECT_HANDLE_CLOSING:
      return "STATUS_FWP_INJECT_HANDLE_CLOSING";
    case STATUS_INSUFFICIENT_RESOURCES:
      return "STATUS_INSUFFICIENT_RESOURCES";
    case STATUS_FWP_TCPIP_NOT_READY:
      return "STATUS_FWP_TCPIP_NOT_READY";
    case STATUS_NOT_SUPPORTED:
      return "STATUS_NOT_SUPPORTED";
    default:
      return "an error";
  }
}

bool is_mistake(NTSTATUS status) {
  return status == STATUS_INVALID_PARAMETER || status == STATUS_FWP_NULL_POINTER ||
         status == STATUS_FWP_INJECT_HANDLE_STALE;
}

}  // namespace

NTSTATUS remember_refusal(const Injection& injection, NTSTATUS status) {
  if (injection.request.nbl != nullptr) ledger::mark_refused(injection.request.nbl);
  return status;
}

NTSTATUS report_refusal(const Injection& injection, NTSTATUS status, const std::string& why) {
  ledger::Violation violation;
  violation.rule = ledger::rule::kInjectRefused;
  violation.message = kernel::text(
      "%s returned %s (0x%08x): %s. It took nothing: the completion function is not called, and "
      "the NET_BUFFER_LIST is still the caller's, to be freed where the call fails",
      injection.function, name_of(status), static_cast<unsigned>(status), why.c_str());
  violation.packet = ledger::current_packet();
  if (violation.packet.empty()) violation.packet = injection.packet;
  is_mistake(status) ? ledger::report(std::move(violation)) : ledger::note(std::move(violation));
  return remember_refusal(injection, status);
}

}  // namespace wfp::inject
