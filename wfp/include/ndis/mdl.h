/* MDL: one range of memory in a chain. Members and layout as documented for x64.
 *
 * On a kernel an MDL lists physical pages; here the range is always mapped, and MappedSystemVa is its first byte.
 * Whoever allocates an MDL frees it; an MDL of a stack packet also holds the block that it describes (wfp/ndis). */
#ifndef WFPTAP_NDIS_MDL_H
#define WFPTAP_NDIS_MDL_H

#include <ndis/types.h>

#define MDL_MAPPED_TO_SYSTEM_VA 0x0001
#define MDL_PAGES_LOCKED 0x0002
#define MDL_SOURCE_IS_NONPAGED_POOL 0x0004

typedef struct _MDL {
  struct _MDL* Next;
  CSHORT Size; /* of this object, bytes */
  CSHORT MdlFlags;
  PVOID Process;
  PVOID MappedSystemVa;
  PVOID StartVa; /* page that holds the first byte */
  ULONG ByteCount;
  ULONG ByteOffset; /* from StartVa */
} MDL, *PMDL;
typedef MDL* PMDLX;

typedef enum _MM_PAGE_PRIORITY {
  LowPagePriority = 0,
  NormalPagePriority = 16,
  HighPagePriority = 32
} MM_PAGE_PRIORITY;
#define MdlMappingNoWrite 0x80000000u
#define MdlMappingNoExecute 0x40000000u

#define PAGE_SIZE 4096u
#define PAGE_SHIFT 12
#define PAGE_ALIGN(address) ((PVOID)((ULONG_PTR)(address) & ~((ULONG_PTR)PAGE_SIZE - 1)))
#define BYTE_OFFSET(address) ((ULONG)((ULONG_PTR)(address) & (PAGE_SIZE - 1)))

#define MmGetMdlByteCount(mdl) ((mdl)->ByteCount)
#define MmGetMdlByteOffset(mdl) ((mdl)->ByteOffset)
#define MmGetMdlVirtualAddress(mdl) ((PVOID)((PUCHAR)(mdl)->StartVa + (mdl)->ByteOffset))
#define NdisGetNextMdl(mdl, next) (*(next) = (mdl)->Next)

/* First byte of the range; never fails for a mapped MDL. `priority` is accepted and has no effect here. */
static inline PVOID MmGetSystemAddressForMdlSafe(PMDL mdl, ULONG priority) {
  (void)priority;
  return mdl->MappedSystemVa;
}

static inline void NdisQueryMdl(PMDL mdl, PVOID* address, ULONG* length, ULONG priority) {
  if (address != NULL) *address = MmGetSystemAddressForMdlSafe(mdl, priority);
  *length = mdl->ByteCount;
}

#ifdef __cplusplus
extern "C" {
#endif

struct _IRP;

/* An MDL over memory of the caller, who keeps the memory alive until IoFreeMdl. NULL when out of memory. */
PMDL NTAPI IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer, BOOLEAN ChargeQuota,
                         struct _IRP* Irp);
void NTAPI IoFreeMdl(PMDL Mdl);
void NTAPI MmBuildMdlForNonPagedPool(PMDL MemoryDescriptorList);
PMDL NTAPI NdisAllocateMdl(NDIS_HANDLE NdisHandle, PVOID VirtualAddress, UINT Length);
void NTAPI NdisFreeMdl(PMDL Mdl);

#ifdef __cplusplus
}
#endif

#endif
