// extern "C": DbgPrint and the bounded string routines.
#include <csignal>
#include <cstring>

#include "nt/debug.h"
#include "nt/strsafe.h"
#include "wfp/kernel/debug_format.hpp"
#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/kernel.hpp"
#include "wfp/kernel/unicode.hpp"
#include "wfp/ledger/require.hpp"

using namespace wfp::kernel;

namespace {

void passive(const char* function) { assert_irql_at_most(PASSIVE_LEVEL, function); }

bool is_size(SIZE_T size) { return size != 0 && size <= NTSTRSAFE_MAX_CCH; }

template <class Char>
SIZE_T length_of(const Char* text, SIZE_T limit) {
  SIZE_T length = 0;
  while (length < limit && text[length] != 0) ++length;
  return length;
}

template <class Char>
NTSTATUS copy(Char* to, SIZE_T room, const Char* from, SIZE_T length) {
  if (!is_size(room)) return STATUS_INVALID_PARAMETER;
  const SIZE_T taken = length < room ? length : room - 1;
  std::memcpy(to, from, taken * sizeof(Char));
  to[taken] = 0;
  return taken == length ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

template <class Char>
NTSTATUS append(Char* to, SIZE_T room, const Char* from) {
  const SIZE_T used = is_size(room) ? length_of(to, room) : room;
  if (used == room) return STATUS_INVALID_PARAMETER;
  return copy(to + used, room - used, from, length_of(from, NTSTRSAFE_MAX_CCH));
}

template <class Char>
NTSTATUS measure(const Char* text, SIZE_T limit, SIZE_T* length) {
  const SIZE_T found = text != nullptr && is_size(limit) ? length_of(text, limit) : limit;
  if (length != nullptr) *length = found == limit ? 0 : found;
  return found == limit ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
}

NTSTATUS print_narrow(PSTR to, SIZE_T room, PCSTR format, va_list arguments) {
  const std::string out = format_text(format, arguments);
  return copy(to, room, out.c_str(), out.size());
}

// In a wide format, plain %s means wide text, so the two letters trade places.
NTSTATUS print_wide(PWSTR to, SIZE_T room, PCWSTR format, va_list arguments) {
  std::string narrow = to_utf8(view_of(format));
  for (std::size_t i = narrow.find('%'); i != narrow.npos; i = narrow.find('%', i + 1)) {
    i = narrow.find_first_not_of("-+ #0123456789.*", i + 1);
    if (i == narrow.npos) break;
    if (narrow[i] == 's')
      narrow[i] = 'S';
    else if (narrow[i] == 'S')
      narrow[i] = 's';
    else if (narrow[i] == 'c')
      narrow[i] = 'C';
  }
  const std::u16string out = to_utf16(format_text(narrow.c_str(), arguments));
  return copy(to, room, reinterpret_cast<PCWSTR>(out.c_str()), out.size());
}

}  // namespace

extern "C" {

ULONG vDbgPrintEx(ULONG, ULONG Level, PCSTR Format, va_list arglist) {
  REQUIRE_ARGUMENT(Format);
  Kernel::current().debug_print(Level, format_text(Format, arglist));
  return static_cast<ULONG>(STATUS_SUCCESS);
}
ULONG DbgPrint(PCSTR Format, ...) {
  REQUIRE_ARGUMENT(Format);
  va_list arguments;
  va_start(arguments, Format);
  vDbgPrintEx(DPFLTR_DEFAULT_ID, DPFLTR_INFO_LEVEL, Format, arguments);
  va_end(arguments);
  return 0;
}
ULONG DbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, ...) {
  REQUIRE_ARGUMENT(Format);
  va_list arguments;
  va_start(arguments, Format);
  vDbgPrintEx(ComponentId, Level, Format, arguments);
  va_end(arguments);
  return 0;
}
VOID DbgBreakPoint(VOID) { std::raise(SIGTRAP); }

NTSTATUS NTAPI RtlStringCchCopyA(PSTR pszDest, SIZE_T cchDest, PCSTR pszSrc) {
  REQUIRE_ARGUMENT(pszDest);
  REQUIRE_ARGUMENT(pszSrc);
  passive("RtlStringCchCopyA");
  return copy(pszDest, cchDest, pszSrc, length_of(pszSrc, NTSTRSAFE_MAX_CCH));
}
NTSTATUS NTAPI RtlStringCchCopyW(PWSTR pszDest, SIZE_T cchDest, PCWSTR pszSrc) {
  REQUIRE_ARGUMENT(pszDest);
  REQUIRE_ARGUMENT(pszSrc);
  passive("RtlStringCchCopyW");
  return copy(pszDest, cchDest, pszSrc, length_of(pszSrc, NTSTRSAFE_MAX_CCH));
}
NTSTATUS NTAPI RtlStringCchCatA(PSTR pszDest, SIZE_T cchDest, PCSTR pszSrc) {
  REQUIRE_ARGUMENT(pszDest);
  REQUIRE_ARGUMENT(pszSrc);
  passive("RtlStringCchCatA");
  return append(pszDest, cchDest, pszSrc);
}
NTSTATUS NTAPI RtlStringCchCatW(PWSTR pszDest, SIZE_T cchDest, PCWSTR pszSrc) {
  REQUIRE_ARGUMENT(pszDest);
  REQUIRE_ARGUMENT(pszSrc);
  passive("RtlStringCchCatW");
  return append(pszDest, cchDest, pszSrc);
}
NTSTATUS NTAPI RtlStringCchLengthA(PCSTR psz, SIZE_T cchMax, SIZE_T* pcchLength) {
  passive("RtlStringCchLengthA");
  return measure(psz, cchMax, pcchLength);
}
NTSTATUS NTAPI RtlStringCchLengthW(PCWSTR psz, SIZE_T cchMax, SIZE_T* pcchLength) {
  passive("RtlStringCchLengthW");
  return measure(psz, cchMax, pcchLength);
}
NTSTATUS NTAPI RtlStringCbLengthW(PCWSTR psz, SIZE_T cbMax, SIZE_T* pcbLength) {
  passive("RtlStringCbLengthW");
  const NTSTATUS status = measure(psz, cbMax / sizeof(WCHAR), pcbLength);
  if (pcbLength != nullptr) *pcbLength *= sizeof(WCHAR);
  return status;
}
NTSTATUS NTAPI RtlStringCbCopyA(PSTR pszDest, SIZE_T cbDest, PCSTR pszSrc) {
  REQUIRE_ARGUMENT(pszDest);
  REQUIRE_ARGUMENT(pszSrc);
  passive("RtlStringCbCopyA");
  return RtlStringCchCopyA(pszDest, cbDest, pszSrc);
}
NTSTATUS NTAPI RtlStringCbCopyW(PWSTR pszDest, SIZE_T cbDest, PCWSTR pszSrc) {
  REQUIRE_ARGUMENT(pszDest);
  REQUIRE_ARGUMENT(pszSrc);
  passive("RtlStringCbCopyW");
  return RtlStringCchCopyW(pszDest, cbDest / sizeof(WCHAR), pszSrc);
}
NTSTATUS RtlStringCchPrintfA(PSTR pszDest, SIZE_T cchDest, PCSTR pszFormat, ...) {
  REQUIRE_ARGUMENT(pszDest);
  REQUIRE_ARGUMENT(pszFormat);
  passive("RtlStringCchPrintfA");
  va_list arguments;
  va_start(arguments, pszFormat);
  const NTSTATUS status = print_narrow(pszDest, cchDest, pszFormat, arguments);
  va_end(arguments);
  return status;
}
NTSTATUS RtlStringCbPrintfA(PSTR pszDest, SIZE_T cbDest, PCSTR pszFormat, ...) {
  REQUIRE_ARGUMENT(pszDest);
  REQUIRE_ARGUMENT(pszFormat);
  passive("RtlStringCbPrintfA");
  va_list arguments;
  va_start(arguments, pszFormat);
  const NTSTATUS status = print_narrow(pszDest, cbDest, pszFormat, arguments);
  va_end(arguments);
  return status;
}
NTSTATUS RtlStringCchPrintfW(PWSTR pszDest, SIZE_T cchDest, PCWSTR pszFormat, ...) {
  REQUIRE_ARGUMENT(pszDest);
  REQUIRE_ARGUMENT(pszFormat);
  passive("RtlStringCchPrintfW");
  va_list arguments;
  va_start(arguments, pszFormat);
  const NTSTATUS status = print_wide(pszDest, cchDest, pszFormat, arguments);
  va_end(arguments);
  return status;
}
NTSTATUS RtlStringCbPrintfW(PWSTR pszDest, SIZE_T cbDest, PCWSTR pszFormat, ...) {
  REQUIRE_ARGUMENT(pszDest);
  REQUIRE_ARGUMENT(pszFormat);
  passive("RtlStringCbPrintfW");
  va_list arguments;
  va_start(arguments, pszFormat);
  const NTSTATUS status = print_wide(pszDest, cbDest / sizeof(WCHAR), pszFormat, arguments);
  va_end(arguments);
  return status;
}

}  // extern "C"
