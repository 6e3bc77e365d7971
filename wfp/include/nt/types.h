/* Basic Windows kernel types for driver sources and for our own code. Compiles as C11 and as C++20.
 *
 * ULONG, LONG and DWORD are 32 bits whatever `long` is here. WCHAR has 16 bits as on Windows: driver sources are
 * built with -fshort-wchar, where wchar_t has that size; our own C++ code sees char16_t. Names and widths follow the
 * published documentation (Windows data types); the text is ours. Annotations such as _In_ are in nt/sal.h. */
#ifndef WFPTAP_NT_TYPES_H
#define WFPTAP_NT_TYPES_H

#include <stddef.h>
#include <stdint.h>

#include "nt/layout_version.h"
#include "nt/sal.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NTAPI
#define NTKERNELAPI
#define NTSYSAPI
#define FASTCALL
#define CALLBACK
#define CONST const
#ifndef VOID
#define VOID void
#endif
#define DECLSPEC_ALIGN(x) __attribute__((aligned(x)))
#define MEMORY_ALLOCATION_ALIGNMENT 16 /* of pool memory and of SLIST entries on x64 */
#define FORCEINLINE static inline __attribute__((unused))
#define UNREFERENCED_PARAMETER(P) ((void)(P))

typedef void* PVOID;
typedef void* HANDLE;
typedef HANDLE* PHANDLE;
typedef char CHAR;
typedef char* PCHAR;
typedef char CCHAR;
typedef char *PSTR, *LPSTR;
typedef const char *PCSTR, *LPCSTR, *PCCHAR;
typedef signed char INT8;
typedef unsigned char UINT8, UCHAR, BOOLEAN, BYTE;
typedef UCHAR* PUCHAR;
typedef BOOLEAN* PBOOLEAN;
typedef int16_t INT16, SHORT, CSHORT;
typedef uint16_t UINT16, USHORT, WORD;
typedef USHORT* PUSHORT;
typedef int32_t INT32, INT, LONG, BOOL;
typedef uint32_t UINT32, UINT, ULONG, DWORD;
typedef ULONG* PULONG;
typedef LONG* PLONG;
typedef INT32* PINT32;
typedef DWORD *PDWORD, *LPDWORD;
typedef BYTE *PBYTE, *LPBYTE;
typedef UINT8* PUINT8;
typedef UINT16* PUINT16;
typedef LONG HRESULT;
typedef ULONG ACCESS_MASK, *PACCESS_MASK;
typedef LONG KPRIORITY;
typedef char KPROCESSOR_MODE; /* an 8 bit character, as CCHAR */
typedef const void* PCVOID;
typedef void* LPVOID;
typedef UINT32* PUINT32;
typedef int64_t INT64, LONGLONG, LONG64;
typedef uint64_t UINT64, ULONGLONG, ULONG64, DWORD64;
typedef LONGLONG* PLONGLONG;
typedef ULONGLONG* PULONGLONG;
typedef UINT64* PUINT64;
typedef LONG64* PLONG64;
typedef ULONG64* PULONG64;
typedef intptr_t INT_PTR, LONG_PTR, SSIZE_T;
typedef uintptr_t UINT_PTR, ULONG_PTR, SIZE_T, DWORD_PTR, KAFFINITY;
typedef SIZE_T* PSIZE_T;
typedef ULONG_PTR* PULONG_PTR;
typedef int32_t NTSTATUS;
typedef UCHAR KIRQL;
typedef KIRQL* PKIRQL;
typedef NTSTATUS* PNTSTATUS;

#if defined(__WCHAR_WIDTH__) && __WCHAR_WIDTH__ == 16
typedef wchar_t WCHAR; /* a driver's source: L"text" has this type */
#elif defined(__cplusplus)
typedef char16_t WCHAR;
#else
typedef uint16_t WCHAR;
#endif
typedef WCHAR *PWSTR, *PWCHAR, *PWCH, *LPWSTR;
typedef const WCHAR *PCWSTR, *PCWCH, *LPCWSTR;
#define UNICODE_NULL ((WCHAR)0)
#define ANSI_NULL ((CHAR)0)

#ifndef TRUE
#define TRUE 1
#define FALSE 0
#endif

typedef union _LARGE_INTEGER {
  __extension__ struct {
    DWORD LowPart;
    LONG HighPart;
  };
  struct {
    DWORD LowPart;
    LONG HighPart;
  } u;
  LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef union _ULARGE_INTEGER {
  __extension__ struct {
    DWORD LowPart;
    DWORD HighPart;
  };
  struct {
    DWORD LowPart;
    DWORD HighPart;
  } u;
  ULONGLONG QuadPart;
} ULARGE_INTEGER, *PULARGE_INTEGER;

typedef LARGE_INTEGER PHYSICAL_ADDRESS, *PPHYSICAL_ADDRESS;

typedef struct _GUID {
  uint32_t Data1;
  uint16_t Data2;
  uint16_t Data3;
  uint8_t Data4[8];
} GUID;

typedef struct _LIST_ENTRY {
  struct _LIST_ENTRY* Flink;
  struct _LIST_ENTRY* Blink;
} LIST_ENTRY, *PLIST_ENTRY;

typedef struct _SINGLE_LIST_ENTRY {
  struct _SINGLE_LIST_ENTRY* Next;
} SINGLE_LIST_ENTRY, *PSINGLE_LIST_ENTRY;

typedef struct DECLSPEC_ALIGN(16) _SLIST_ENTRY {
  struct _SLIST_ENTRY* Next;
} SLIST_ENTRY, *PSLIST_ENTRY;

/* A list for many processors, used through its routines (nt/ex.h); zero bytes are an empty list. */
typedef union _SLIST_HEADER {
  __extension__ struct DECLSPEC_ALIGN(16) {
    ULONGLONG Alignment;
    ULONGLONG Region;
  };
  struct {
    ULONGLONG Depth : 16;
    ULONGLONG Sequence : 48;
    ULONGLONG Reserved : 4;
    ULONGLONG NextEntry : 60; /* without its last four bits */
  } HeaderX64;
} SLIST_HEADER, *PSLIST_HEADER;

typedef struct _UNICODE_STRING {
  USHORT Length;        /* bytes in use, without a terminator */
  USHORT MaximumLength; /* bytes allocated */
  PWSTR Buffer;
} UNICODE_STRING, *PUNICODE_STRING;
typedef const UNICODE_STRING* PCUNICODE_STRING;

typedef struct _STRING {
  USHORT Length;
  USHORT MaximumLength;
  PCHAR Buffer;
} STRING, ANSI_STRING, *PSTRING, *PANSI_STRING;

typedef struct _OBJECT_ATTRIBUTES {
  ULONG Length;
  HANDLE RootDirectory;
  PUNICODE_STRING ObjectName;
  ULONG Attributes;
  PVOID SecurityDescriptor;
  PVOID SecurityQualityOfService;
} OBJECT_ATTRIBUTES, *POBJECT_ATTRIBUTES;

#define OBJ_INHERIT 0x00000002
#define OBJ_CASE_INSENSITIVE 0x00000040
#define OBJ_KERNEL_HANDLE 0x00000200

#define InitializeObjectAttributes(p, n, a, r, s) \
  do {                                            \
    (p)->Length = (ULONG)sizeof(*(p));            \
    (p)->RootDirectory = (r);                     \
    (p)->Attributes = (a);                        \
    (p)->ObjectName = (n);                        \
    (p)->SecurityDescriptor = (s);                \
    (p)->SecurityQualityOfService = NULL;         \
  } while (0)

#define CONTAINING_RECORD(address, type, field) ((type*)(void*)((char*)(address)-offsetof(type, field)))
#define FIELD_OFFSET(type, field) ((LONG)offsetof(type, field))
#define RTL_FIELD_SIZE(type, field) (sizeof(((type*)0)->field))
#define RTL_NUMBER_OF(A) (sizeof(A) / sizeof((A)[0]))
#define ARRAYSIZE(A) RTL_NUMBER_OF(A)
#define UNALIGNED
#define DECLSPEC_CACHEALIGN __attribute__((aligned(64)))
#define DECLSPEC_NORETURN __attribute__((noreturn))

#ifdef __cplusplus
}
#endif

#endif
