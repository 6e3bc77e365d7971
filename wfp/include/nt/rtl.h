/* Run-time library: memory, doubly and singly linked lists, counted strings, byte order. Compiles as C11 and as
 * C++20. Lists are intrusive and unlocked. Strings are 16-bit units; RtlInitUnicodeString refers to the caller's
 * text, it does not copy. Any IRQL, except the routines on strings that allocate (PASSIVE_LEVEL). */
#ifndef WFPTAP_NT_RTL_H
#define WFPTAP_NT_RTL_H

#include <string.h>

#include "nt/ntstatus.h"
#include "nt/sal.h"
#include "nt/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RtlCopyMemory(Destination, Source, Length) memcpy((Destination), (Source), (Length))
#define RtlMoveMemory(Destination, Source, Length) memmove((Destination), (Source), (Length))
#define RtlZeroMemory(Destination, Length) memset((Destination), 0, (Length))
#define RtlFillMemory(Destination, Length, Fill) memset((Destination), (Fill), (Length))
#define RtlEqualMemory(Destination, Source, Length) (memcmp((Destination), (Source), (Length)) == 0)
#define RtlCopyBytes RtlCopyMemory
#define RtlZeroBytes RtlZeroMemory

/* The number of equal bytes from the start. */
FORCEINLINE SIZE_T RtlCompareMemory(const VOID* Source1, const VOID* Source2, SIZE_T Length) {
  const UCHAR* a = (const UCHAR*)Source1;
  const UCHAR* b = (const UCHAR*)Source2;
  SIZE_T equal = 0;
  while (equal < Length && a[equal] == b[equal]) ++equal;
  return equal;
}

FORCEINLINE PVOID RtlSecureZeroMemory(PVOID Pointer, SIZE_T Size) {
  memset(Pointer, 0, Size);
  __asm__ volatile("" ::"r"(Pointer) : "memory"); /* the compiler may not drop the store */
  return Pointer;
}

FORCEINLINE USHORT RtlUshortByteSwap(USHORT Source) { return __builtin_bswap16(Source); }
FORCEINLINE ULONG RtlUlongByteSwap(ULONG Source) { return __builtin_bswap32(Source); }
FORCEINLINE ULONGLONG RtlUlonglongByteSwap(ULONGLONG Source) { return __builtin_bswap64(Source); }

/* --- lists --- */
FORCEINLINE VOID InitializeListHead(PLIST_ENTRY ListHead) { ListHead->Flink = ListHead->Blink = ListHead; }
FORCEINLINE BOOLEAN IsListEmpty(const LIST_ENTRY* ListHead) { return (BOOLEAN)(ListHead->Flink == ListHead); }
FORCEINLINE BOOLEAN RemoveEntryList(PLIST_ENTRY Entry) { /* TRUE when the list is empty now */
  PLIST_ENTRY next = Entry->Flink;
  PLIST_ENTRY previous = Entry->Blink;
  previous->Flink = next;
  next->Blink = previous;
  return (BOOLEAN)(next == previous);
}
FORCEINLINE PLIST_ENTRY RemoveHeadList(PLIST_ENTRY ListHead) { /* the head itself when the list is empty */
  PLIST_ENTRY entry = ListHead->Flink;
  RemoveEntryList(entry);
  return entry;
}
FORCEINLINE PLIST_ENTRY RemoveTailList(PLIST_ENTRY ListHead) {
  PLIST_ENTRY entry = ListHead->Blink;
  RemoveEntryList(entry);
  return entry;
}
FORCEINLINE VOID InsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry) {
  PLIST_ENTRY last = ListHead->Blink;
  Entry->Flink = ListHead;
  Entry->Blink = last;
  last->Flink = Entry;
  ListHead->Blink = Entry;
}
FORCEINLINE VOID InsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry) { InsertTailList(ListHead->Flink, Entry); }
FORCEINLINE VOID AppendTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListToAppend) { /* ListToAppend is a list's entry */
  PLIST_ENTRY end = ListHead->Blink;
  PLIST_ENTRY last = ListToAppend->Blink;
  end->Flink = ListToAppend;
  ListHead->Blink = last;
  last->Flink = ListHead;
  ListToAppend->Blink = end;
}
FORCEINLINE PSINGLE_LIST_ENTRY PopEntryList(PSINGLE_LIST_ENTRY ListHead) {
  PSINGLE_LIST_ENTRY first = ListHead->Next;
  if (first != NULL) ListHead->Next = first->Next;
  return first;
}
FORCEINLINE VOID PushEntryList(PSINGLE_LIST_ENTRY ListHead, PSINGLE_LIST_ENTRY Entry) {
  Entry->Next = ListHead->Next;
  ListHead->Next = Entry;
}

/* --- strings --- */
#define RTL_CONSTANT_STRING(s) \
  { (USHORT)(sizeof(s) - sizeof((s)[0])), (USHORT)sizeof(s), (PWSTR)(ULONG_PTR)(s) }
#define DECLARE_CONST_UNICODE_STRING(_var, _string)                                               \
  static const WCHAR _var##_buffer[] = _string;                                                   \
  __attribute__((unused)) const UNICODE_STRING _var = {(USHORT)(sizeof(_string) - sizeof(WCHAR)), \
                                                       (USHORT)sizeof(_string), (PWSTR)(ULONG_PTR)_var##_buffer}
#define DECLARE_UNICODE_STRING_SIZE(_var, _size) \
  WCHAR _var##_buffer[_size];                    \
  UNICODE_STRING _var = {0, (USHORT)((_size) * sizeof(WCHAR)), _var##_buffer}

VOID NTAPI RtlInitUnicodeString(_Out_ PUNICODE_STRING DestinationString, _In_opt_ PCWSTR SourceString);
VOID NTAPI RtlInitEmptyUnicodeString(_Out_ PUNICODE_STRING UnicodeString, _In_ PWSTR Buffer, _In_ USHORT BufferSize);
VOID NTAPI RtlCopyUnicodeString(_Inout_ PUNICODE_STRING DestinationString, _In_opt_ PCUNICODE_STRING SourceString);
LONG NTAPI RtlCompareUnicodeString(_In_ PCUNICODE_STRING String1, _In_ PCUNICODE_STRING String2,
                                   _In_ BOOLEAN CaseInSensitive);
BOOLEAN NTAPI RtlEqualUnicodeString(_In_ PCUNICODE_STRING String1, _In_ PCUNICODE_STRING String2,
                                    _In_ BOOLEAN CaseInSensitive);
NTSTATUS NTAPI RtlAppendUnicodeToString(_Inout_ PUNICODE_STRING Destination, _In_opt_ PCWSTR Source);
NTSTATUS NTAPI RtlAppendUnicodeStringToString(_Inout_ PUNICODE_STRING Destination, _In_ PCUNICODE_STRING Source);
NTSTATUS NTAPI RtlUnicodeStringToInteger(_In_ PCUNICODE_STRING String, _In_ ULONG Base, _Out_ PULONG Value);
NTSTATUS NTAPI RtlUnicodeToMultiByteN(_Out_ PCHAR MultiByteString, _In_ ULONG MaxBytesInMultiByteString,
                                      _Out_opt_ PULONG BytesInMultiByteString, _In_ PCWCH UnicodeString,
                                      _In_ ULONG BytesInUnicodeString);
WCHAR NTAPI RtlUpcaseUnicodeChar(_In_ WCHAR SourceCharacter);
ULONG NTAPI RtlRandomEx(_Inout_ PULONG Seed);

FORCEINLINE NTSTATUS RtlSizeTMult(SIZE_T a, SIZE_T b, PSIZE_T Result) {
  if (!__builtin_mul_overflow(a, b, Result)) return STATUS_SUCCESS;
  *Result = ~(SIZE_T)0;
  return STATUS_INTEGER_OVERFLOW;
}
FORCEINLINE NTSTATUS RtlSizeTAdd(SIZE_T a, SIZE_T b, PSIZE_T Result) {
  if (!__builtin_add_overflow(a, b, Result)) return STATUS_SUCCESS;
  *Result = ~(SIZE_T)0;
  return STATUS_INTEGER_OVERFLOW;
}
FORCEINLINE NTSTATUS RtlULongAdd(ULONG a, ULONG b, PULONG Result) {
  if (!__builtin_add_overflow(a, b, Result)) return STATUS_SUCCESS;
  *Result = ~(ULONG)0;
  return STATUS_INTEGER_OVERFLOW;
}

#ifdef __cplusplus
}
#endif

#endif
