// extern "C": reading a driver's registry values.
#include <cstring>

#include "nt/rtl.h"
#include "nt/zw.h"
#include "wfp/kernel/driver_object.hpp"
#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/kernel.hpp"
#include "wfp/kernel/unicode.hpp"
#include "wfp/ledger/require.hpp"

using namespace wfp::kernel;

namespace {

constexpr std::size_t kMaxDirectString = 0xfffe;  // bytes that a UNICODE_STRING can count
constexpr ULONG kTypeMask = (1u << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT) - 1;

bool equal_without_case(std::u16string_view a, std::u16string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (RtlUpcaseUnicodeChar(static_cast<WCHAR>(a[i])) != RtlUpcaseUnicodeChar(static_cast<WCHAR>(b[i])))
      return false;
  return true;
}

// "...\Services\NAME" or "...\Services\NAME\Parameters".
std::optional<RegistryKey> key_of_path(std::u16string_view path) {
  const std::u16string_view services = kServicesPath;
  if (path.size() <= services.size() || !equal_without_case(path.substr(0, services.size()), services))
    return std::nullopt;
  path.remove_prefix(services.size());
  const std::size_t slash = path.find(u'\\');
  RegistryKey key{.driver = to_utf8(path.substr(0, slash)), .parameters = slash != path.npos};
  if (slash != path.npos && !equal_without_case(path.substr(slash + 1), u"Parameters")) return std::nullopt;
  return key;
}

std::optional<RegistryValue> read(const RegistryKey& key, std::u16string_view name) {
  if (!key.parameters) return std::nullopt;
  return Kernel::current().registry().get(key.driver, to_utf8(name));
}

// The value's data in place of what EntryContext points to: a ULONG, or a UNICODE_STRING with room or none.
NTSTATUS store_direct(const RegistryValue& value, void* destination) {
  if (value.type == REG_DWORD) {
    if (value.data.size() != sizeof(ULONG)) return STATUS_INVALID_PARAMETER;
    std::memcpy(destination, value.data.data(), sizeof(ULONG));
    return STATUS_SUCCESS;
  }
  if (value.data.size() < sizeof(WCHAR) || value.data.size() > kMaxDirectString) return STATUS_BUFFER_TOO_SMALL;
  auto& string = *static_cast<UNICODE_STRING*>(destination);
  if (string.Buffer == nullptr) {
    string.MaximumLength = static_cast<USHORT>(value.data.size());
    string.Buffer = static_cast<PWSTR>(ExAllocatePoolZero(PagedPool, value.data.size(), 0x67655252));
    if (string.Buffer == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  }
  if (string.MaximumLength < value.data.size()) return STATUS_BUFFER_TOO_SMALL;
  std::memcpy(string.Buffer, value.data.data(), value.data.size());
  string.Length = static_cast<USHORT>(value.data.size() - sizeof(WCHAR));
  return STATUS_SUCCESS;
}

NTSTATUS query_entry(RTL_QUERY_REGISTRY_TABLE& entry, const RegistryKey& key, PVOID context) {
  const bool is_direct = (entry.Flags & RTL_QUERY_REGISTRY_DIRECT) != 0;
  if (entry.Name == nullptr || (!is_direct && entry.QueryRoutine == nullptr)) return STATUS_INVALID_PARAMETER;
  const ULONG default_type = entry.DefaultType & kTypeMask;  // the bits above are the type that TYPECHECK asks for
  auto value = read(key, view_of(entry.Name));
  if (!value && entry.DefaultData != nullptr && (entry.Flags & RTL_QUERY_REGISTRY_REQUIRED) == 0) {
    const auto* data = static_cast<const UCHAR*>(entry.DefaultData);
    std::size_t size = entry.DefaultLength;
    if (size == 0)
      size = default_type == REG_DWORD ? sizeof(ULONG)
                                       : (view_of(static_cast<PCWSTR>(entry.DefaultData)).size() + 1) * sizeof(WCHAR);
    value = RegistryValue{default_type, {data, data + size}};
  }
  if (!value) return (entry.Flags & RTL_QUERY_REGISTRY_REQUIRED) != 0 ? STATUS_OBJECT_NAME_NOT_FOUND : STATUS_SUCCESS;
  if ((entry.Flags & RTL_QUERY_REGISTRY_TYPECHECK) != 0 &&
      value->type != entry.DefaultType >> RTL_QUERY_REGISTRY_TYPECHECK_SHIFT)
    return STATUS_OBJECT_TYPE_MISMATCH;
  if (is_direct) return store_direct(*value, entry.EntryContext);
  return entry.QueryRoutine(entry.Name, value->type, value->data.data(), static_cast<ULONG>(value->data.size()),
                            context, entry.EntryContext);
}

// Where the structure of a class has its name, if it has one, and its data.
struct ValueLayout {
  bool has_name;
  ULONG fixed, data_at;
};

std::optional<ValueLayout> layout_of(KEY_VALUE_INFORMATION_CLASS kind, ULONG name_size) {
  if (kind == KeyValuePartialInformation) {
    const ULONG fixed = FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data);
    return ValueLayout{false, fixed, fixed};
  }
  if (kind != KeyValueFullInformation) return std::nullopt;
  const ULONG fixed = FIELD_OFFSET(KEY_VALUE_FULL_INFORMATION, Name);
  return ValueLayout{true, fixed, (fixed + name_size + 3u) & ~3u};
}

}  // namespace

extern "C" {

NTSTATUS NTAPI ZwOpenKey(PHANDLE KeyHandle, ACCESS_MASK, POBJECT_ATTRIBUTES ObjectAttributes) {
  REQUIRE_ARGUMENT(KeyHandle);
  REQUIRE_ARGUMENT(ObjectAttributes);
  if (!assert_irql_at_most(PASSIVE_LEVEL, "ZwOpenKey")) return STATUS_UNSUCCESSFUL;
  if (KeyHandle == nullptr || ObjectAttributes == nullptr || ObjectAttributes->ObjectName == nullptr)
    return STATUS_INVALID_PARAMETER;
  KernelHandles& handles = Kernel::current().handles();
  const std::u16string_view name = view_of(*ObjectAttributes->ObjectName);
  std::optional<RegistryKey> key;
  if (ObjectAttributes->RootDirectory == nullptr) {
    key = key_of_path(name);
  } else {
    const HandleTarget root = handles.find(ObjectAttributes->RootDirectory);
    const auto* parent = std::get_if<RegistryKey>(&root);
    if (parent == nullptr) return STATUS_INVALID_HANDLE;
    if (!parent->parameters && equal_without_case(name, u"Parameters")) key = RegistryKey{parent->driver, true};
  }
  if (!key) return STATUS_OBJECT_NAME_NOT_FOUND;
  const auto handle = handles.open(*key);
  if (!handle) return STATUS_INSUFFICIENT_RESOURCES;
  wfp::ledger::acquire(wfp::ledger::Kind::file_handle, *handle, "ZwOpenKey");
  *KeyHandle = *handle;
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI ZwQueryValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName,
                               KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass, PVOID KeyValueInformation,
                               ULONG Length, PULONG ResultLength) {
  REQUIRE_ARGUMENT(ValueName);
  REQUIRE_ARGUMENT(ResultLength);
  if (!assert_irql_at_most(PASSIVE_LEVEL, "ZwQueryValueKey")) return STATUS_UNSUCCESSFUL;
  const HandleTarget target = Kernel::current().handles().find(KeyHandle);
  const auto* key = std::get_if<RegistryKey>(&target);
  if (key == nullptr) return STATUS_INVALID_HANDLE;
  const auto value = read(*key, view_of(*ValueName));
  if (!value) return STATUS_OBJECT_NAME_NOT_FOUND;
  const auto data_size = static_cast<ULONG>(value->data.size());
  auto* out = static_cast<UCHAR*>(KeyValueInformation);
  const auto layout = layout_of(KeyValueInformationClass, ValueName->Length);
  if (!layout) return STATUS_INVALID_PARAMETER;
  *ResultLength = layout->data_at + data_size;
  if (Length < layout->fixed) return STATUS_BUFFER_TOO_SMALL;
  if (layout->has_name) {
    const ULONG head[] = {0, value->type, layout->data_at, data_size, ValueName->Length};
    std::memcpy(out, head, sizeof head);
    if (Length >= layout->data_at) std::memcpy(out + layout->fixed, ValueName->Buffer, ValueName->Length);
  } else {
    const ULONG head[] = {0, value->type, data_size};
    std::memcpy(out, head, sizeof head);
  }
  if (Length < *ResultLength) return STATUS_BUFFER_OVERFLOW;
  std::memcpy(out + layout->data_at, value->data.data(), data_size);
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlQueryRegistryValues(ULONG RelativeTo, PCWSTR Path, PRTL_QUERY_REGISTRY_TABLE QueryTable,
                                      PVOID Context, PVOID) {
  REQUIRE_ARGUMENT(Path);
  REQUIRE_ARGUMENT(QueryTable);
  if (!assert_irql_at_most(PASSIVE_LEVEL, "RtlQueryRegistryValues")) return STATUS_UNSUCCESSFUL;
  std::u16string path(view_of(Path));
  if (RelativeTo == RTL_REGISTRY_SERVICES) path = kServicesPath + path;
  auto key = key_of_path(path);
  if (!key) return STATUS_OBJECT_NAME_NOT_FOUND;
  for (auto* entry = QueryTable; entry->QueryRoutine != nullptr || entry->Name != nullptr; ++entry) {
    if ((entry->Flags & RTL_QUERY_REGISTRY_SUBKEY) != 0) {  // the entries after it are below that key
      if (!equal_without_case(view_of(entry->Name), u"Parameters")) return STATUS_OBJECT_NAME_NOT_FOUND;
      key->parameters = true;
    } else if (const NTSTATUS status = query_entry(*entry, *key, Context); !NT_SUCCESS(status)) {
      return status;
    }
  }
  return STATUS_SUCCESS;
}

}  // extern "C"
