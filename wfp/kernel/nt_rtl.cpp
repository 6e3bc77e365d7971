// extern "C": counted 16-bit strings.
#include <algorithm>
#include <cstring>

#include "nt/rtl.h"
#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/unicode.hpp"
#include "wfp/ledger/require.hpp"

using namespace wfp::kernel;

namespace {

constexpr USHORT kMaxStringBytes = 0xfffc;  // even, with room for a terminator

// Latin letters, and Greek and Cyrillic in their regular rows: what device and value names use.
WCHAR upper(WCHAR c) {
  const auto unit = static_cast<unsigned>(c);
  const bool latin = (unit >= 'a' && unit <= 'z') || (unit >= 0xe0 && unit <= 0xfe && unit != 0xf7);
  const bool row = (unit >= 0x3b1 && unit <= 0x3c9 && unit != 0x3c2) || (unit >= 0x430 && unit <= 0x44f);
  return latin || row ? static_cast<WCHAR>(unit - 0x20) : c;
}

NTSTATUS append(UNICODE_STRING& to, const WCHAR* from, std::size_t bytes) {
  if (bytes > static_cast<std::size_t>(to.MaximumLength) - to.Length) return STATUS_BUFFER_TOO_SMALL;
  std::memmove(reinterpret_cast<char*>(to.Buffer) + to.Length, from, bytes);
  to.Length = static_cast<USHORT>(to.Length + bytes);
  if (to.Length + sizeof(WCHAR) <= to.MaximumLength) to.Buffer[to.Length / sizeof(WCHAR)] = 0;
  return STATUS_SUCCESS;
}

}  // namespace

extern "C" {

VOID NTAPI RtlInitUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString) {
  REQUIRE_ARGUMENT(DestinationString);
  *DestinationString = {};
  if (SourceString == nullptr) return;
  const std::size_t bytes = std::min<std::size_t>(view_of(SourceString).size() * sizeof(WCHAR), kMaxStringBytes);
  DestinationString->Length = static_cast<USHORT>(bytes);
  DestinationString->MaximumLength = static_cast<USHORT>(bytes + sizeof(WCHAR));
  DestinationString->Buffer = const_cast<PWSTR>(SourceString);
}
VOID NTAPI RtlInitEmptyUnicodeString(PUNICODE_STRING UnicodeString, PWSTR Buffer, USHORT BufferSize) {
  REQUIRE_ARGUMENT(UnicodeString);
  *UnicodeString = {0, BufferSize, Buffer};
}
VOID NTAPI RtlCopyUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString) {
  REQUIRE_ARGUMENT(DestinationString);
  DestinationString->Length = 0;
  if (SourceString != nullptr)
    append(*DestinationString, SourceString->Buffer,
           std::min(SourceString->Length, DestinationString->MaximumLength));
}
NTSTATUS NTAPI RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source) {
  REQUIRE_ARGUMENT(Destination);
  return Source == nullptr ? STATUS_SUCCESS : append(*Destination, Source, view_of(Source).size() * sizeof(WCHAR));
}
NTSTATUS NTAPI RtlAppendUnicodeStringToString(PUNICODE_STRING Destination, PCUNICODE_STRING Source) {
  REQUIRE_ARGUMENT(Destination);
  REQUIRE_ARGUMENT(Source);
  return append(*Destination, Source->Buffer, Source->Length);
}
LONG NTAPI RtlCompareUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive) {
  REQUIRE_ARGUMENT(String1);
  REQUIRE_ARGUMENT(String2);
  const auto a = view_of(*String1), b = view_of(*String2);
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    WCHAR left = static_cast<WCHAR>(a[i]), right = static_cast<WCHAR>(b[i]);
    if (CaseInSensitive != FALSE) left = upper(left), right = upper(right);
    if (left != right) return static_cast<LONG>(left) - static_cast<LONG>(right);
  }
  return static_cast<LONG>(a.size()) - static_cast<LONG>(b.size());
}
BOOLEAN NTAPI RtlEqualUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive) {
  REQUIRE_ARGUMENT(String1);
  REQUIRE_ARGUMENT(String2);
  return RtlCompareUnicodeString(String1, String2, CaseInSensitive) == 0;
}
WCHAR NTAPI RtlUpcaseUnicodeChar(WCHAR SourceCharacter) { return upper(SourceCharacter); }

// Base 0: decided by the prefix 0x, 0o or 0b, decimal without one. Stops at the first character that is no digit.
NTSTATUS NTAPI RtlUnicodeStringToInteger(PCUNICODE_STRING String, ULONG Base, PULONG Value) {
  REQUIRE_ARGUMENT(String);
  REQUIRE_ARGUMENT(Value);
  if (Base != 0 && Base != 2 && Base != 8 && Base != 10 && Base != 16) return STATUS_INVALID_PARAMETER;
  std::u16string_view digits = view_of(*String);
  while (!digits.empty() && digits[0] <= u' ') digits.remove_prefix(1);
  const bool negative = !digits.empty() && digits[0] == u'-';
  if (negative || (!digits.empty() && digits[0] == u'+')) digits.remove_prefix(1);
  if (Base == 0) {
    Base = 10;
    if (digits.size() > 1 && digits[0] == u'0') {
      Base = digits[1] == u'x' ? 16 : digits[1] == u'o' ? 8 : digits[1] == u'b' ? 2 : 10;
      if (Base != 10) digits.remove_prefix(2);
    }
  }
  ULONG value = 0;
  for (const char16_t c : digits) {
    const ULONG digit = c >= u'0' && c <= u'9'                       ? c - u'0'
                        : (c | 0x20u) >= u'a' && (c | 0x20u) <= u'f' ? (c | 0x20u) - u'a' + 10u
                                                                     : Base;
    if (digit >= Base) break;
    value = value * Base + digit;
  }
  *Value = negative ? 0u - value : value;
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlUnicodeToMultiByteN(PCHAR MultiByteString, ULONG MaxBytesInMultiByteString,
                                      PULONG BytesInMultiByteString, PCWCH UnicodeString,
                                      ULONG BytesInUnicodeString) {
  assert_irql_at_most(APC_LEVEL, "RtlUnicodeToMultiByteN");
  const std::string out =
      to_utf8({reinterpret_cast<const char16_t*>(UnicodeString), BytesInUnicodeString / sizeof(WCHAR)});
  const std::size_t taken = std::min<std::size_t>(out.size(), MaxBytesInMultiByteString);
  if (taken != 0) {
    REQUIRE_ARGUMENT(MultiByteString);
    std::memcpy(MultiByteString, out.data(), taken);
  }
  if (BytesInMultiByteString != nullptr) *BytesInMultiByteString = static_cast<ULONG>(taken);
  return STATUS_SUCCESS;
}

ULONG NTAPI RtlRandomEx(PULONG Seed) {
  REQUIRE_ARGUMENT(Seed);
  *Seed = static_cast<ULONG>((std::uint64_t{*Seed} * 48271u + 11u) % 0x7fffffffu);
  return *Seed;
}

}  // extern "C"
