// MDLs that drivers allocate: over their own memory, freed by them. Each is entered in the ledger.
#include "wfp/ledger/require.hpp"
#include "wfp/ledger/rules.hpp"
#include "wfp/ledger/violation.hpp"
#include "wfp/ndis/driver_pool.hpp"
#include "wfp/ndis/pool_core.hpp"

using namespace wfp;
using namespace wfp::ndis;

namespace {

MDL* allocate_driver_mdl(void* address, ULONG length, const char* function) {
  MdlObject* const object = shared_pool().core().allocate_mdl();
  if (object == nullptr) return nullptr;
  set_range(object->mdl, static_cast<std::byte*>(address), length);
  object->mdl.Next = nullptr;
  object->block = nullptr;
  object->nb = nullptr;
  object->origin = MdlOrigin::driver;
  object->from_retreat = false;
  ledger::acquire(ledger::Kind::mdl, &object->mdl, function);
  return &object->mdl;
}

void free_driver_mdl(MDL* mdl, const char* function) {
  MdlObject& object = object_of(*mdl);
  const bool unknown = ledger::release(ledger::Kind::mdl, mdl) == ledger::Release::unknown;
  if (object.origin != MdlOrigin::driver || unknown) {
    ledger::report(
        {.rule = ledger::rule::kMdlDoubleFree,
         .message = std::string(function) +
                    ": this MDL is not one that the driver allocated, or it was freed before. Free each MDL "
                    "once, and never one of a packet that was indicated to you.",
         .packet = {},
         .stack = {},
         .kind = ledger::Kind::mdl,
         .about = mdl});
    return;
  }
  shared_pool().core().free_mdl(object);
}

}  // namespace

extern "C" {

PMDL NTAPI IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer, BOOLEAN ChargeQuota,
                         struct _IRP* Irp) {
  assert_dispatch_at_most("IoAllocateMdl");
  UNREFERENCED_PARAMETER(SecondaryBuffer);
  UNREFERENCED_PARAMETER(ChargeQuota);
  UNREFERENCED_PARAMETER(Irp);
  return allocate_driver_mdl(VirtualAddress, Length, "IoAllocateMdl");
}

void NTAPI IoFreeMdl(PMDL Mdl) {
  REQUIRE_ARGUMENT(Mdl);
  assert_dispatch_at_most("IoFreeMdl");
  free_driver_mdl(Mdl, "IoFreeMdl");
}

// The range is mapped from the start; the flag says so to a driver that looks.
void NTAPI MmBuildMdlForNonPagedPool(PMDL MemoryDescriptorList) {
  REQUIRE_ARGUMENT(MemoryDescriptorList);
  assert_dispatch_at_most("MmBuildMdlForNonPagedPool");
  MemoryDescriptorList->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
}

PMDL NTAPI NdisAllocateMdl(NDIS_HANDLE NdisHandle, PVOID VirtualAddress, UINT Length) {
  assert_dispatch_at_most("NdisAllocateMdl");
  UNREFERENCED_PARAMETER(NdisHandle);
  return allocate_driver_mdl(VirtualAddress, Length, "NdisAllocateMdl");
}

void NTAPI NdisFreeMdl(PMDL Mdl) {
  REQUIRE_ARGUMENT(Mdl);
  assert_dispatch_at_most("NdisFreeMdl");
  free_driver_mdl(Mdl, "NdisFreeMdl");
}

}  // extern "C"
