#include "src/shim/injection_checks.hpp"

#include <cstdint>

#include "wfp/kernel/report.hpp"
#include "wfp/ledger/rules.hpp"
#include "wfp/ndis/chain.hpp"

namespace shim {
namespace {

bool was_received(const stack::PacketMeta* original) {
  return original != nullptr && original->direction == stack::Direction::Inbound && original->interface_index != 0;
}

// Such a packet vanishes without notice on Windows, too: the strong host model drops it.
void check_interface(const stack::PacketMeta* original, std::uint32_t index, const StackControl& control) {
  constexpr const char* kAdvice = "Carry interfaceIndex and subInterfaceIndex from the classify to the injection.";
  if (!control.has_interface(index))
    wfp::kernel::report_violation(
        wfp::ledger::rule::kInjectInterface,
        wfp::kernel::text(
            "a packet was injected as received on interface %u, which does not exist: it is dropped. %s", index,
            kAdvice));
  else if (was_received(original) && original->interface_index != index)
    wfp::kernel::report_violation(
        wfp::ledger::rule::kInjectInterface,
        wfp::kernel::text("a packet that came in on interface %u was injected as received on "
                          "interface %u. %s",
                          original->interface_index, index, kAdvice));
}

// The bytes of a received packet lie where the adapter put them, and Windows took them once already. All others are
// the driver's to align.
void check_alignment(const stack::PacketMeta* original, const stack::Packet& packet) {
  if (was_received(original)) return;
  const auto at = reinterpret_cast<std::uintptr_t>(wfp::ndis::contiguous(*packet.nbl(), 0, 1));
  if (at % alignof(void*) == 0) return;
  wfp::kernel::report_violation(
      wfp::ledger::rule::kInjectUnaligned,
      wfp::kernel::text("a packet was injected as received with its IP header at an address that is %u more than a "
                        "multiple of %zu. Put the header into an MDL of its own that is aligned to a pointer.",
                        static_cast<unsigned>(at % alignof(void*)), alignof(void*)));
}

}  // namespace

void check_received(const stack::Packet& packet, const wfp::InjectRequest& request, const StackControl& control) {
  const stack::PacketMeta* const original = packet.parent_meta();
  check_interface(original, request.interface_index, control);
  check_alignment(original, packet);
}

}  // namespace shim
