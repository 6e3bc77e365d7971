// NDIS_GENERIC_OBJECT: what a driver without a miniport or protocol handle gives as NdisHandle to the pool functions.
#include <algorithm>
#include <cstdlib>
#include <new>

#include "ndis.h"
#include "wfp/ledger/require.hpp"
#include "wfp/ledger/rules.hpp"
#include "wfp/ledger/violation.hpp"
#include "wfp/ndis/driver_pool.hpp"

using namespace wfp;
using namespace wfp::ndis;

extern "C" {

PNDIS_GENERIC_OBJECT NTAPI NdisAllocateGenericObject(struct _DRIVER_OBJECT* DriverObject, ULONG Tag, USHORT Size) {
  assert_dispatch_at_most("NdisAllocateGenericObject");
  UNREFERENCED_PARAMETER(Tag);
  const auto bytes = std::max<std::size_t>(Size, sizeof(NDIS_GENERIC_OBJECT));
  void* const memory = std::calloc(1, bytes);
  if (memory == nullptr) return nullptr;
  auto* const object = new (memory) NDIS_GENERIC_OBJECT{};
  object->Header = {NDIS_OBJECT_TYPE_DEFAULT, 1, static_cast<USHORT>(bytes)};
  object->DriverObject = DriverObject;
  ledger::acquire(ledger::Kind::other, object, "NdisAllocateGenericObject", bytes);
  return object;
}

void NTAPI NdisFreeGenericObject(PNDIS_GENERIC_OBJECT NdisObject) {
  REQUIRE_ARGUMENT(NdisObject);
  assert_dispatch_at_most("NdisFreeGenericObject");
  if (ledger::release(ledger::Kind::other, NdisObject) == ledger::Release::unknown) {
    ledger::report(
        {.rule = ledger::rule::kNdisObjectDoubleFree,
         .message = "NdisFreeGenericObject: no live object at this address. Free it once, after its pools.",
         .packet = {},
         .stack = {},
         .kind = ledger::Kind::other,
         .about = NdisObject});
    return;
  }
  std::free(NdisObject);
}

}  // extern "C"
