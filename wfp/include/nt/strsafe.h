/* Bounded string routines (ntstrsafe.h). Compiles as C11 and as C++20. Cch counts characters, Cb bytes; the result
 * always ends with a terminator. STATUS_BUFFER_OVERFLOW when it was cut, STATUS_INVALID_PARAMETER for a size of zero
 * or above NTSTRSAFE_MAX_CCH. Formats as for DbgPrint. IRQL: PASSIVE_LEVEL; a breach is reported and the call goes on. */
#ifndef WFPTAP_NT_STRSAFE_H
#define WFPTAP_NT_STRSAFE_H

#include "nt/ntstatus.h"
#include "nt/sal.h"
#include "nt/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NTSTRSAFE_MAX_CCH 2147483647

NTSTATUS NTAPI RtlStringCchCopyA(_Out_ PSTR pszDest, _In_ SIZE_T cchDest, _In_ PCSTR pszSrc);
NTSTATUS NTAPI RtlStringCchCopyW(_Out_ PWSTR pszDest, _In_ SIZE_T cchDest, _In_ PCWSTR pszSrc);
NTSTATUS NTAPI RtlStringCchCatA(_Inout_ PSTR pszDest, _In_ SIZE_T cchDest, _In_ PCSTR pszSrc);
NTSTATUS NTAPI RtlStringCchCatW(_Inout_ PWSTR pszDest, _In_ SIZE_T cchDest, _In_ PCWSTR pszSrc);
NTSTATUS NTAPI RtlStringCchLengthA(_In_ PCSTR psz, _In_ SIZE_T cchMax, _Out_opt_ SIZE_T* pcchLength);
NTSTATUS NTAPI RtlStringCchLengthW(_In_ PCWSTR psz, _In_ SIZE_T cchMax, _Out_opt_ SIZE_T* pcchLength);
NTSTATUS RtlStringCchPrintfA(_Out_ PSTR pszDest, _In_ SIZE_T cchDest, _In_ PCSTR pszFormat, ...);
NTSTATUS RtlStringCchPrintfW(_Out_ PWSTR pszDest, _In_ SIZE_T cchDest, _In_ PCWSTR pszFormat, ...);
NTSTATUS NTAPI RtlStringCbCopyA(_Out_ PSTR pszDest, _In_ SIZE_T cbDest, _In_ PCSTR pszSrc);
NTSTATUS NTAPI RtlStringCbCopyW(_Out_ PWSTR pszDest, _In_ SIZE_T cbDest, _In_ PCWSTR pszSrc);
NTSTATUS NTAPI RtlStringCbLengthW(_In_ PCWSTR psz, _In_ SIZE_T cbMax, _Out_opt_ SIZE_T* pcbLength);
NTSTATUS RtlStringCbPrintfA(_Out_ PSTR pszDest, _In_ SIZE_T cbDest, _In_ PCSTR pszFormat, ...);
NTSTATUS RtlStringCbPrintfW(_Out_ PWSTR pszDest, _In_ SIZE_T cbDest, _In_ PCWSTR pszFormat, ...);

#ifdef __cplusplus
}
#endif

#endif
