/* Basic Windows kernel types for driver sources and for our own code. Compiles as C11 and as C++20.
 *
 * ULONG, LONG and DWORD are 32 bits whatever `long` is here. WCHAR has 16 bits as on Windows: driver sources are built
 * with -fshort-wchar, where wchar_t has that size; our own C++ code sees char16_t. Names and widths follow the published
 * documentation (Windows data types); the text is ours. Annotations such as _In_ are in nt/sal.h. */
#ifndef WFPTAP_NT_TYPES_H
#define WFPTAP_NT_TYPES_H

#include <stddef.h>
#include <stdint.h>

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
#define FORCEINLINE static inline
#define UNREFERENCED_PARAMETER(P) ((void)(P))

typedef void* PVOID;
typedef void* HANDLE;
typedef HANDLE* PHANDLE;
typedef char CHAR;
typedef char* PCHAR;
typedef const char* PCSTR;
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
typedef UINT32* PUINT32;
typedef int64_t INT64, LONGLONG, LONG64;
typedef uint64_t UINT64, ULONGLONG, ULONG64, DWORD64;
typedef LONGLONG* PLONGLONG;
typedef ULONGLONG* PULONGLONG;
typedef UINT64* PUINT64;
typedef intptr_t INT_PTR, LONG_PTR, SSIZE_T;
typedef uintptr_t UINT_PTR, ULONG_PTR, SIZE_T, DWORD_PTR, KAFFINITY;
typedef SIZE_T* PSIZE_T;
typedef ULONG_PTR* PULONG_PTR;
typedef int32_t NTSTATUS;
typedef UCHAR KIRQL;
typedef KIRQL* PKIRQL;

#ifdef __cplusplus
typedef char16_t WCHAR;
#else
typedef uint16_t WCHAR;
#endif
#if defined(__WCHAR_WIDTH__) && __WCHAR_WIDTH__ == 16
typedef wchar_t* PWSTR;
typedef wchar_t* PWCHAR;
typedef wchar_t* PWCH;
typedef const wchar_t* PCWSTR;
#else
typedef WCHAR* PWSTR;
typedef WCHAR* PWCHAR;
typedef WCHAR* PWCH;
typedef const WCHAR* PCWSTR;
#endif

#ifndef TRUE
#define TRUE 1
#define FALSE 0
#endif

typedef union _LARGE_INTEGER {
  struct {
    DWORD LowPart;
    LONG HighPart;
  } u;
  LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

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

typedef struct _UNICODE_STRING {
  USHORT Length;        /* bytes in use, without a terminator */
  USHORT MaximumLength; /* bytes allocated */
  PWSTR Buffer;
} UNICODE_STRING, *PUNICODE_STRING;
typedef const UNICODE_STRING* PCUNICODE_STRING;

#ifdef __cplusplus
}
#endif

#endif
