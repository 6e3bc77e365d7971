/* Drivers' mistakes, on purpose, for what is said of their place: each line that is to be named carries a word in a
 * comment. Parameter: what=irql (default), inlined, freed (written after it was freed), twice (pool memory freed twice),
 * fault, jump (through a null function pointer) or null (an argument that may not be). */
#include "sample.h"

static volatile LONG Done;
static UCHAR What; /* the parameter's first letter */

static PVOID Allocate(void) {
  PVOID memory = ExAllocatePool2(POOL_FLAG_NON_PAGED, 64, SAMPLE_TAG); /* allocated here */
  return memory;
}

static void Free(PVOID Memory) {
  ExFreePoolWithTag(Memory, SAMPLE_TAG); /* freed here */
  Done = 2;                              /* no tail call */
}

static __inline void __attribute__((always_inline)) TwiceInlined(NET_BUFFER_LIST* Clone) {
  FwpsFreeCloneNetBufferList0(Clone, 0);
  FwpsFreeCloneNetBufferList0(Clone, 0); /* inlined here */
}

static void FreeTwice(NET_BUFFER_LIST* Packet) {
  NET_BUFFER_LIST* clone = NULL;

  if (!NT_SUCCESS(FwpsAllocateCloneNetBufferList0(Packet, NULL, NULL, 0, &clone))) return; /* cloned here */
  TwiceInlined(clone);                                                                     /* called here */
  Done = 2;
}

static void WriteFreed(void) {
  UCHAR* memory = Allocate();

  if (memory == NULL) return;
  Free(memory);
  ((volatile UCHAR*)memory)[8] = 1;
}

static void PoolTwice(void) {
  PVOID memory = Allocate();

  if (memory == NULL) return;
  Free(memory);
  ExFreePoolWithTag(memory, SAMPLE_TAG); /* again here */
  Done = 2;
}

static void TooHigh(void) {
  PVOID memory = ExAllocatePoolWithTag(PagedPool, 64, SAMPLE_TAG); /* paged here */
  if (memory != NULL) Free(memory);
}

static void __attribute__((noinline)) Store(volatile LONG* Where) { *Where = 1; /* stored here */ }

static void (*volatile Nowhere)(void);

static void __attribute__((noinline)) Break(NET_BUFFER_LIST* Packet) {
  switch (What) {
    case 'f':
      WriteFreed();
      break;
    case 's':
      Store(NULL); /* fault here */
      break;
    case 'j':
      Nowhere(); /* jump here */
      break;
    case 'n':
      KeSetEvent(NULL, 0, FALSE); /* null here */
      break;
    case 't':
      PoolTwice();
      break;
    case 'c':
      FreeTwice(Packet);
      break;
    default:
      TooHigh();
  }
  Done = 3;
}

static void NTAPI Classify(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata,
                           void* LayerData, const void* ClassifyContext, const FWPS_FILTER1* Filter,
                           UINT64 FlowContext, FWPS_CLASSIFY_OUT0* Out) {
  UNREFERENCED_PARAMETER(Values);
  UNREFERENCED_PARAMETER(Metadata);
  UNREFERENCED_PARAMETER(ClassifyContext);
  UNREFERENCED_PARAMETER(Filter);
  UNREFERENCED_PARAMETER(FlowContext);
  SamplePermit(Out);
  if (InterlockedExchange(&Done, 1) == 0) Break(LayerData);
}

static SAMPLE_CALLOUT Callouts[] = {
    SAMPLE_ROWS(INBOUND_TRANSPORT, Classify, FWP_ACTION_CALLOUT_TERMINATING, IPPROTO_TCP)};

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  SampleStop();
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  Done = 0;
  What = SampleText(RegistryPath, L"what", L"freed")     ? 'f'
         : SampleText(RegistryPath, L"what", L"fault")   ? 's'
         : SampleText(RegistryPath, L"what", L"jump")    ? 'j'
         : SampleText(RegistryPath, L"what", L"null")    ? 'n'
         : SampleText(RegistryPath, L"what", L"twice")   ? 't'
         : SampleText(RegistryPath, L"what", L"inlined") ? 'c'
                                                         : 'i';
  DriverObject->DriverUnload = Unload;
  return SampleStart(DriverObject, 0x626169, Callouts, sizeof(Callouts) / sizeof(Callouts[0]));
}
