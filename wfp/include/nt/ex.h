/* Executive routines: pool memory, lookaside lists, interlocked lists, fast mutexes, resources, run-down protection.
 * Compiles as C11 and as C++20.
 *
 * Pool memory belongs to the driver that allocated it and must be freed with the same tag before the driver unloads;
 * the verifier names leaks by tag. ExAllocatePool2 and ExAllocatePoolZero return zeroed memory. IRQL <=
 * DISPATCH_LEVEL for non-paged pool, <= APC_LEVEL for paged pool, resources and fast mutexes. NULL when the pool's
 * bound is reached. */
#ifndef WFPTAP_NT_EX_H
#define WFPTAP_NT_EX_H

#include "nt/ke.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum _POOL_TYPE {
  NonPagedPool = 0,
  NonPagedPoolExecute = 0,
  PagedPool = 1,
  NonPagedPoolCacheAligned = 4,
  PagedPoolCacheAligned = 5,
  NonPagedPoolNx = 512,
  NonPagedPoolNxCacheAligned = 516
} POOL_TYPE;

typedef ULONG64 POOL_FLAGS;
#define POOL_FLAG_USE_QUOTA 0x0000000000000001ull
#define POOL_FLAG_UNINITIALIZED 0x0000000000000002ull
#define POOL_FLAG_SESSION 0x0000000000000004ull
#define POOL_FLAG_CACHE_ALIGNED 0x0000000000000008ull
#define POOL_FLAG_RAISE_ON_FAILURE 0x0000000000000020ull
#define POOL_FLAG_NON_PAGED 0x0000000000000040ull
#define POOL_FLAG_NON_PAGED_EXECUTE 0x0000000000000080ull
#define POOL_FLAG_PAGED 0x0000000000000100ull

#define DrvRtPoolNxOptIn 0x00000001

PVOID NTAPI ExAllocatePoolWithTag(_In_ POOL_TYPE PoolType, _In_ SIZE_T NumberOfBytes, _In_ ULONG Tag);
PVOID NTAPI ExAllocatePoolZero(_In_ POOL_TYPE PoolType, _In_ SIZE_T NumberOfBytes, _In_ ULONG Tag);
PVOID NTAPI ExAllocatePoolUninitialized(_In_ POOL_TYPE PoolType, _In_ SIZE_T NumberOfBytes, _In_ ULONG Tag);
PVOID NTAPI ExAllocatePool2(_In_ POOL_FLAGS Flags, _In_ SIZE_T NumberOfBytes, _In_ ULONG Tag);
PVOID NTAPI ExAllocatePool(_In_ POOL_TYPE PoolType, _In_ SIZE_T NumberOfBytes);
VOID NTAPI ExFreePoolWithTag(_In_ PVOID P, _In_ ULONG Tag);
VOID NTAPI ExFreePool(_In_ PVOID P);
VOID NTAPI ExInitializeDriverRuntime(_In_ ULONG RuntimeFlags);

/* --- lookaside lists: a bounded cache of equal blocks over the pool --- */
typedef struct _LOOKASIDE_LIST_EX LOOKASIDE_LIST_EX, *PLOOKASIDE_LIST_EX;
typedef PVOID ALLOCATE_FUNCTION_EX(_In_ POOL_TYPE PoolType, _In_ SIZE_T NumberOfBytes, _In_ ULONG Tag,
                                   _Inout_ PLOOKASIDE_LIST_EX Lookaside);
typedef ALLOCATE_FUNCTION_EX* PALLOCATE_FUNCTION_EX;
typedef VOID FREE_FUNCTION_EX(_In_ PVOID Buffer, _Inout_ PLOOKASIDE_LIST_EX Lookaside);
typedef FREE_FUNCTION_EX* PFREE_FUNCTION_EX;
typedef PVOID ALLOCATE_FUNCTION(_In_ POOL_TYPE PoolType, _In_ SIZE_T NumberOfBytes, _In_ ULONG Tag);
typedef ALLOCATE_FUNCTION* PALLOCATE_FUNCTION;
typedef VOID FREE_FUNCTION(_In_ PVOID Buffer);
typedef FREE_FUNCTION* PFREE_FUNCTION;

/* A compiled driver allocates and frees by code of its own: it pops an entry or calls Allocate, it pushes one as long
 * as ListHead holds fewer than Depth or calls Free. Hence neither pointer is ever NULL. */
#define WFPTAP_GENERAL_LOOKASIDE_MEMBERS  \
  union {                                 \
    SLIST_HEADER ListHead;                \
    SINGLE_LIST_ENTRY SingleListHead;     \
  };                                      \
  USHORT Depth; /* blocks kept at most */ \
  USHORT MaximumDepth;                    \
  ULONG TotalAllocates;                   \
  union {                                 \
    ULONG AllocateMisses;                 \
    ULONG AllocateHits;                   \
  };                                      \
  ULONG TotalFrees;                       \
  union {                                 \
    ULONG FreeMisses;                     \
    ULONG FreeHits;                       \
  };                                      \
  POOL_TYPE Type;                         \
  ULONG Tag;                              \
  ULONG Size;                             \
  union {                                 \
    PALLOCATE_FUNCTION_EX AllocateEx;     \
    PALLOCATE_FUNCTION Allocate;          \
  };                                      \
  union {                                 \
    PFREE_FUNCTION_EX FreeEx;             \
    PFREE_FUNCTION Free;                  \
  };                                      \
  LIST_ENTRY ListEntry;                   \
  ULONG LastTotalAllocates;               \
  union {                                 \
    ULONG LastAllocateMisses;             \
    ULONG LastAllocateHits;               \
  };                                      \
  ULONG Future[2];

typedef struct _GENERAL_LOOKASIDE_POOL {
  WFPTAP_GENERAL_LOOKASIDE_MEMBERS
} GENERAL_LOOKASIDE_POOL, *PGENERAL_LOOKASIDE_POOL;
typedef struct DECLSPEC_CACHEALIGN _GENERAL_LOOKASIDE {
  WFPTAP_GENERAL_LOOKASIDE_MEMBERS
} GENERAL_LOOKASIDE, *PGENERAL_LOOKASIDE;

struct _LOOKASIDE_LIST_EX {
  GENERAL_LOOKASIDE_POOL L;
};
typedef struct _NPAGED_LOOKASIDE_LIST {
  GENERAL_LOOKASIDE L;
} NPAGED_LOOKASIDE_LIST, *PNPAGED_LOOKASIDE_LIST;

NTSTATUS NTAPI ExInitializeLookasideListEx(_Out_ PLOOKASIDE_LIST_EX Lookaside,
                                           _In_opt_ PALLOCATE_FUNCTION_EX Allocate, _In_opt_ PFREE_FUNCTION_EX Free,
                                           _In_ POOL_TYPE PoolType, _In_ ULONG Flags, _In_ SIZE_T Size,
                                           _In_ ULONG Tag, _In_ USHORT Depth);
VOID NTAPI ExDeleteLookasideListEx(_Inout_ PLOOKASIDE_LIST_EX Lookaside);
PVOID NTAPI ExAllocateFromLookasideListEx(_Inout_ PLOOKASIDE_LIST_EX Lookaside);
VOID NTAPI ExFreeToLookasideListEx(_Inout_ PLOOKASIDE_LIST_EX Lookaside, _In_ PVOID Entry);
VOID NTAPI ExInitializeNPagedLookasideList(_Out_ PNPAGED_LOOKASIDE_LIST Lookaside,
                                           _In_opt_ PALLOCATE_FUNCTION Allocate, _In_opt_ PFREE_FUNCTION Free,
                                           _In_ ULONG Flags, _In_ SIZE_T Size, _In_ ULONG Tag, _In_ USHORT Depth);
VOID NTAPI ExDeleteNPagedLookasideList(_Inout_ PNPAGED_LOOKASIDE_LIST Lookaside);
PVOID NTAPI ExAllocateFromNPagedLookasideList(_Inout_ PNPAGED_LOOKASIDE_LIST Lookaside);
VOID NTAPI ExFreeToNPagedLookasideList(_Inout_ PNPAGED_LOOKASIDE_LIST Lookaside, _In_ PVOID Entry);

/* --- lists for many processors without a lock of the driver's; any IRQL --- */
FORCEINLINE VOID InitializeSListHead(_Out_ PSLIST_HEADER SListHead) {
  SListHead->Alignment = 0;
  SListHead->Region = 0;
}
#define ExInitializeSListHead InitializeSListHead
PSLIST_ENTRY NTAPI ExpInterlockedPushEntrySList(_Inout_ PSLIST_HEADER ListHead, _Inout_ PSLIST_ENTRY ListEntry);
PSLIST_ENTRY NTAPI ExpInterlockedPopEntrySList(_Inout_ PSLIST_HEADER ListHead);
PSLIST_ENTRY NTAPI ExpInterlockedFlushSList(_Inout_ PSLIST_HEADER ListHead);
USHORT NTAPI ExQueryDepthSList(_In_ PSLIST_HEADER SListHead);
#define InterlockedPushEntrySList(Head, Entry) ExpInterlockedPushEntrySList(Head, Entry)
#define InterlockedPopEntrySList(Head) ExpInterlockedPopEntrySList(Head)
#define InterlockedFlushSList(Head) ExpInterlockedFlushSList(Head)
#define ExInterlockedPushEntrySList(Head, Entry, Lock) ExpInterlockedPushEntrySList(Head, Entry)
#define ExInterlockedPopEntrySList(Head, Lock) ExpInterlockedPopEntrySList(Head)
#define ExInterlockedFlushSList(Head) ExpInterlockedFlushSList(Head)

/* --- lists under a spin lock; any IRQL --- */
PLIST_ENTRY NTAPI ExInterlockedInsertHeadList(_Inout_ PLIST_ENTRY ListHead, _Inout_ PLIST_ENTRY ListEntry,
                                              _Inout_ PKSPIN_LOCK Lock);
PLIST_ENTRY NTAPI ExInterlockedInsertTailList(_Inout_ PLIST_ENTRY ListHead, _Inout_ PLIST_ENTRY ListEntry,
                                              _Inout_ PKSPIN_LOCK Lock);
PLIST_ENTRY NTAPI ExInterlockedRemoveHeadList(_Inout_ PLIST_ENTRY ListHead, _Inout_ PKSPIN_LOCK Lock);
PSINGLE_LIST_ENTRY NTAPI ExInterlockedPushEntryList(_Inout_ PSINGLE_LIST_ENTRY ListHead,
                                                    _Inout_ PSINGLE_LIST_ENTRY ListEntry, _Inout_ PKSPIN_LOCK Lock);
PSINGLE_LIST_ENTRY NTAPI ExInterlockedPopEntryList(_Inout_ PSINGLE_LIST_ENTRY ListHead, _Inout_ PKSPIN_LOCK Lock);

/* --- fast mutexes --- */
VOID NTAPI ExInitializeFastMutex(_Out_ PFAST_MUTEX FastMutex);
VOID NTAPI ExAcquireFastMutex(_Inout_ PFAST_MUTEX FastMutex);
BOOLEAN NTAPI ExTryToAcquireFastMutex(_Inout_ PFAST_MUTEX FastMutex);
VOID NTAPI ExReleaseFastMutex(_Inout_ PFAST_MUTEX FastMutex);

/* --- resources: many readers or one writer; the writer may acquire again --- */
typedef struct _ERESOURCE {
  KSPIN_LOCK Lock;
  KSEMAPHORE Readers; /* a unit is a hold that a release has handed to a waiter */
  KSEMAPHORE Writers;
  PVOID Owner;      /* the writer's thread */
  LONG ActiveCount; /* > 0 readers, < 0 depth of the writer */
  ULONG WaitingReaders;
  ULONG WaitingWriters;
  PVOID Reserved;
} ERESOURCE, *PERESOURCE;

NTSTATUS NTAPI ExInitializeResourceLite(_Out_ PERESOURCE Resource);
NTSTATUS NTAPI ExDeleteResourceLite(_Inout_ PERESOURCE Resource);
BOOLEAN NTAPI ExAcquireResourceExclusiveLite(_Inout_ PERESOURCE Resource, _In_ BOOLEAN Wait);
BOOLEAN NTAPI ExAcquireResourceSharedLite(_Inout_ PERESOURCE Resource, _In_ BOOLEAN Wait);
VOID NTAPI ExReleaseResourceLite(_Inout_ PERESOURCE Resource);

/* --- run-down protection: many hold, one waits until nobody does and admits nobody after that --- */
typedef struct _EX_RUNDOWN_REF {
  union {
    ULONG_PTR Count; /* holders times two; zero bytes are a reference that nobody holds */
    PVOID Ptr;       /* bit 0 set: run-down has begun, and the rest points to the wait block of who waits, if any */
  };
} EX_RUNDOWN_REF, *PEX_RUNDOWN_REF;

VOID NTAPI ExInitializeRundownProtection(_Out_ PEX_RUNDOWN_REF RunRef);
VOID NTAPI ExReInitializeRundownProtection(_Inout_ PEX_RUNDOWN_REF RunRef);
BOOLEAN NTAPI ExAcquireRundownProtection(_Inout_ PEX_RUNDOWN_REF RunRef);
VOID NTAPI ExReleaseRundownProtection(_Inout_ PEX_RUNDOWN_REF RunRef);
VOID NTAPI ExWaitForRundownProtectionRelease(_Inout_ PEX_RUNDOWN_REF RunRef);
VOID NTAPI ExRundownCompleted(_Out_ PEX_RUNDOWN_REF RunRef);

#ifdef __cplusplus
}
#endif

#endif
