/* DbgPrint and its levels. Compiles as C11 and as C++20. Text goes to the sink that the program sets, one call one
 * entry. The format is the documented one: besides printf's it knows %I64d, %wZ (PUNICODE_STRING), %ws and %S. Any
 * IRQL. */
#ifndef WFPTAP_NT_DEBUG_H
#define WFPTAP_NT_DEBUG_H

#include <stdarg.h>

#include "nt/sal.h"
#include "nt/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DPFLTR_DEFAULT_ID 101
#define DPFLTR_IHVDRIVER_ID 77
#define DPFLTR_IHVNETWORK_ID 80
#define DPFLTR_ERROR_LEVEL 0
#define DPFLTR_WARNING_LEVEL 1
#define DPFLTR_TRACE_LEVEL 2
#define DPFLTR_INFO_LEVEL 3

ULONG DbgPrint(_In_ PCSTR Format, ...);
ULONG DbgPrintEx(_In_ ULONG ComponentId, _In_ ULONG Level, _In_ PCSTR Format, ...);
ULONG vDbgPrintEx(_In_ ULONG ComponentId, _In_ ULONG Level, _In_ PCSTR Format, _In_ va_list arglist);
#define KdPrint(_x_) DbgPrint _x_
#define KdPrintEx(_x_) DbgPrintEx _x_
VOID DbgBreakPoint(VOID);

#ifdef __cplusplus
}
#endif

#endif
