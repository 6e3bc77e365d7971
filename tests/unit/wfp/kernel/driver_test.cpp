#include "kernel_fixture.hpp"

#include "ntstrsafe.h"
#include "wfp/kernel/bugcheck.hpp"
#include "wfp/kernel/debug_format.hpp"
#include "wfp/kernel/driver_object.hpp"
#include "wfp/kernel/unicode.hpp"
#include "wfp/ledger/rules.hpp"

namespace wfp::kernel {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

PCWSTR wide(const char16_t* text16) { return reinterpret_cast<PCWSTR>(text16); }
UNICODE_STRING counted(const char16_t* text16) {
  UNICODE_STRING out;
  RtlInitUnicodeString(&out, wide(text16));
  return out;
}

// A driver that does everything right, or leaves one of each behind.
struct {
  bool leave = false;
  PDEVICE_OBJECT device;
  PIO_WORKITEM item, left_item;
  PVOID memory;
  PVOID thread;
  HANDLE thread_handle;
  KEVENT stop;
  KTIMER timer;
  std::atomic<int> work_done;
  std::string path;
} state;

VOID work(PDEVICE_OBJECT device, PVOID context) {
  EXPECT_EQ(device, state.device);
  EXPECT_EQ(context, &state);
  EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
  EXPECT_EQ(ledger::driver_name(ledger::current_driver()), "sample");
  ++state.work_done;
}
VOID until_stopped(PVOID) { KeWaitForSingleObject(&state.stop, Executive, KernelMode, FALSE, nullptr); }

VOID sample_unload(PDRIVER_OBJECT) {
  if (state.leave) return;
  KeSetEvent(&state.stop, 0, FALSE);
  KeWaitForSingleObject(state.thread, Executive, KernelMode, FALSE, nullptr);
  ObDereferenceObject(state.thread);
  ZwClose(state.thread_handle);
  KeCancelTimer(&state.timer);
  IoFreeWorkItem(state.item);
  ExFreePoolWithTag(state.memory, 0x706d6173);
  IoDeleteDevice(state.device);
}

NTSTATUS sample_entry(PDRIVER_OBJECT object, PUNICODE_STRING path) {
  state.path = to_utf8(view_of(*path));
  object->DriverUnload = sample_unload;
  EXPECT_EQ(IoCreateDevice(object, 16, nullptr, FILE_DEVICE_NETWORK, 0, FALSE, &state.device), STATUS_SUCCESS);
  state.item = IoAllocateWorkItem(state.device);
  state.memory = ExAllocatePool2(POOL_FLAG_NON_PAGED, 64, 0x706d6173);  // 'samp'
  KeInitializeEvent(&state.stop, NotificationEvent, FALSE);
  KeInitializeTimer(&state.timer);
  KeSetTimer(&state.timer, relative(std::chrono::hours(1)), nullptr);
  PsCreateSystemThread(&state.thread_handle, THREAD_ALL_ACCESS, nullptr, nullptr, nullptr, until_stopped, nullptr);
  return ObReferenceObjectByHandle(state.thread_handle, 0, *PsThreadType, KernelMode, &state.thread, nullptr);
}

class Drivers : public BothSchedulers {
  void SetUp() override {
    BothSchedulers::SetUp();
    state.leave = false;
    state.work_done = 0;
  }
};
INSTANTIATE_BOTH(Drivers);

TEST_P(Drivers, CleanOneLeavesNothing) {
  Driver sample("sample");
  ASSERT_EQ(sample.load(sample_entry), STATUS_SUCCESS);
  EXPECT_EQ(state.path, "\\REGISTRY\\MACHINE\\SYSTEM\\CurrentControlSet\\Services\\sample");
  EXPECT_EQ(sample.object().DeviceObject, state.device);
  {
    const ledger::DriverScope scope(sample.id());
    IoQueueWorkItem(state.item, work, DelayedWorkQueue, &state);
  }
  serve_until([] { return state.work_done == 1; });
  const UnloadResult result = sample.unload();
  EXPECT_TRUE(result.unloaded);
  EXPECT_THAT(result.left, IsEmpty());
  EXPECT_EQ(ledger::alive(sample.id()).total(), 0u);
  EXPECT_FALSE(sample.unload().unloaded);
  EXPECT_EQ(sample.load(sample_entry), STATUS_SUCCESS);  // and again
  EXPECT_THAT(sample.unload().left, IsEmpty());
}

TEST_P(Drivers, EverythingLeftBehindIsNamed) {
  Driver sample("sample");
  state.leave = true;
  ASSERT_EQ(sample.load(sample_entry), STATUS_SUCCESS);
  {
    const ledger::DriverScope scope(sample.id());
    IoQueueWorkItem(state.item, work, DelayedWorkQueue, &state);
  }
  const UnloadResult result = sample.unload();
  EXPECT_EQ(state.work_done, 1);  // unload waited for it
  EXPECT_TRUE(result.code_in_use);
  EXPECT_THAT(result.left,
              ElementsAre(HasSubstr("1 timer set; cancel"), HasSubstr("while its system thread "),
                          HasSubstr("IoDeleteDevice"), HasSubstr("1 open handle;"), HasSubstr("1 work item;"),
                          HasSubstr("1 pool block (64 bytes) of tag 'samp'")));
  EXPECT_EQ(ledger::take_messages().size(), 6u);
  KeSetEvent(&state.stop, 0, FALSE);  // end the test tidily
  KeWaitForSingleObject(state.thread, Executive, KernelMode, FALSE, nullptr);
  ObDereferenceObject(state.thread);
  ZwClose(state.thread_handle);
  const ledger::DriverScope scope(sample.id());
  IoFreeWorkItem(state.item);
  ExFreePool(state.memory);
}

TEST_P(Drivers, PacketsLeftBehindAreNamedKindByKindWithAdvice) {
  Driver sample("sample");
  ASSERT_EQ(sample.load(sample_entry), STATUS_SUCCESS);
  int object = 0;
  for (const auto kind : {ledger::Kind::buffer_pool, ledger::Kind::mdl, ledger::Kind::net_buffer_list,
                          ledger::Kind::nbl_reference, ledger::Kind::clone})
    ledger::acquire_for(sample.id(), kind, &object);
  ledger::acquire_for(sample.id(), ledger::Kind::nbl_reference, &object);
  const UnloadResult result = sample.unload();
  EXPECT_FALSE(result.code_in_use);
  EXPECT_THAT(result.left,
              ElementsAre("sample unloaded with 1 clone; FwpsFreeCloneNetBufferList0 frees each, in its "
                          "completion function at the latest",
                          "sample unloaded with 2 packet references; each FwpsReferenceNetBufferList0 wants one "
                          "FwpsDereferenceNetBufferList0",
                          "sample unloaded with 1 NET_BUFFER_LIST; FwpsFreeNetBufferList0 frees each, in its "
                          "completion function at the latest",
                          "sample unloaded with 1 MDL; IoFreeMdl or NdisFreeMdl frees each",
                          "sample unloaded with 1 buffer pool; NdisFreeNetBufferListPool or "
                          "NdisFreeNetBufferPool frees each"));
  EXPECT_EQ(ledger::take_messages().size(), 5u);
  ledger::forget(sample.id());
}

// Those that another part names are entered elsewhere: pool blocks by tag, devices one by one, the rest of the engine.
TEST_P(Drivers, EveryOtherKindLeftBehindIsResidue) {
  using ledger::Kind;
  Driver sample("sample");
  ASSERT_EQ(sample.load(sample_entry), STATUS_SUCCESS);
  int object = 0;
  for (const auto kind : {Kind::injection, Kind::injection_handle, Kind::net_buffer, Kind::flow_context,
                          Kind::classify_handle, Kind::lookaside_list, Kind::other})
    ledger::acquire_for(sample.id(), kind, &object);
  EXPECT_EQ(sample.unload().left.size(), 7u);
  const auto rules = ledger::take_rules();
  EXPECT_EQ(std::count(rules.begin(), rules.end(), ledger::rule::kResidue), 7);
  ledger::forget(sample.id());
}

TEST_P(Drivers, LookasideListLeftBehindIsNamedAndADeletedOneIsNot) {
  static LOOKASIDE_LIST_EX list;
  static bool deletes;
  const auto entry = [](PDRIVER_OBJECT object, PUNICODE_STRING) -> NTSTATUS {
    object->DriverUnload = [](PDRIVER_OBJECT) {
      if (deletes) ExDeleteLookasideListEx(&list);
    };
    return ExInitializeLookasideListEx(&list, nullptr, nullptr, NonPagedPoolNx, 0, 32, 0x706d6173, 0);
  };
  Driver sample("sample");
  for (const bool does : {true, false}) {
    deletes = does;
    ASSERT_EQ(sample.load(entry), STATUS_SUCCESS);
    EXPECT_EQ(sample.unload().left.size(), does ? 0u : 1u);
  }
  EXPECT_THAT(
      ledger::take_messages(),
      ElementsAre("UNLOAD-RESIDUE: sample unloaded with 1 lookaside list; ExDeleteLookasideListEx deletes each"));
  ledger::forget(sample.id());
}

TEST_P(Drivers, WorkItemRunsEachTimeItIsQueuedAndIsFreedOnce) {
  DEVICE_OBJECT device{};
  state.device = &device;
  const ledger::DriverScope scope(ledger::add_driver("sample"));
  PIO_WORKITEM item = IoAllocateWorkItem(&device);
  for (int i = 0; i < 50; ++i) {
    IoQueueWorkItem(item, work, DelayedWorkQueue, &state);
    serve_until([&] { return state.work_done == i + 1; });
  }
  IoFreeWorkItem(item);
  IoFreeWorkItem(item);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("was it freed before?")));
}

TEST_P(Drivers, WorkItemQueuedTwiceOrFreedWhileQueuedIsNamed) {
  DEVICE_OBJECT device{};
  state.device = &device;
  const ledger::DriverScope scope(ledger::add_driver("sample"));
  BusyWorkers busy;
  std::vector<PIO_WORKITEM> blockers(kWorkerThreads);
  for (PIO_WORKITEM& blocker : blockers) busy.queue(blocker = IoAllocateWorkItem(&device));
  serve_until([&] { return busy.are_all_busy(); });
  PIO_WORKITEM item = IoAllocateWorkItem(&device);
  IoQueueWorkItem(item, work, DelayedWorkQueue, &state);
  IoQueueWorkItem(item, work, DelayedWorkQueue, &state);
  IoFreeWorkItem(item);
  EXPECT_THAT(ledger::take_messages(),
              ElementsAre(HasSubstr("IoQueueWorkItem: 0x"), HasSubstr("free it when it has")));
  KeSetEvent(&busy.go, 0, FALSE);
  scheduler().drain_work(ledger::current_driver());
  EXPECT_EQ(state.work_done, 1);
  IoFreeWorkItem(item);  // it is still the driver's
  for (PIO_WORKITEM blocker : blockers) IoFreeWorkItem(blocker);
  EXPECT_EQ(ledger::alive_count(ledger::current_driver(), ledger::Kind::work_item), 0u);
}

// A timer's DPC sets its timer again and queues a work item, which queues the DPC once more.
struct Chain {
  PDEVICE_OBJECT device;
  PIO_WORKITEM item;
  KTIMER timer;
  KDPC dpc;
  std::atomic<int> dpcs{0}, items{0};
} chain;
VOID chain_work(PDEVICE_OBJECT, PVOID) {
  if (++chain.items == 1) KeInsertQueueDpc(&chain.dpc, nullptr, nullptr);
}
VOID chain_dpc(PKDPC, PVOID, PVOID, PVOID) {
  if (++chain.dpcs > 1) return;
  KeSetTimer(&chain.timer, relative(std::chrono::seconds(1)), &chain.dpc);
  IoQueueWorkItem(chain.item, chain_work, DelayedWorkQueue, nullptr);
}
VOID chain_unload(PDRIVER_OBJECT) { KeInsertQueueDpc(&chain.dpc, nullptr, nullptr); }
NTSTATUS chain_entry(PDRIVER_OBJECT object, PUNICODE_STRING) {
  chain.dpcs = chain.items = 0;
  object->DriverUnload = chain_unload;
  IoCreateDevice(object, 0, nullptr, FILE_DEVICE_NETWORK, 0, FALSE, &chain.device);
  chain.item = IoAllocateWorkItem(chain.device);
  KeInitializeDpc(&chain.dpc, chain_dpc, nullptr);
  KeInitializeTimer(&chain.timer);
  return STATUS_SUCCESS;
}

TEST_P(Drivers, NothingCallsIntoADriverAfterItsUnload) {
  Driver sample("sample");
  ASSERT_EQ(sample.load(chain_entry), STATUS_SUCCESS);
  EXPECT_THAT(sample.unload().left,
              ElementsAre(HasSubstr("1 timer set"), HasSubstr("IoDeleteDevice"), HasSubstr("1 work item;")));
  EXPECT_EQ(chain.items, 1);
  EXPECT_EQ(chain.dpcs, 2);
  EXPECT_EQ(scheduler().next_deadline(), kNever);
  EXPECT_FALSE(scheduler().has_work(0));
  EXPECT_EQ(ledger::take_messages().size(), 3u);
  const ledger::DriverScope scope(sample.id());
  IoFreeWorkItem(chain.item);
}

TEST_P(Drivers, RegistryValuesAsDriversReadThem) {
  kernel->registry().set("Sample", "Mode", "robust");
  kernel->registry().set("sample", "count", "0x10");
  kernel->registry().set("sample", "big", "4294967296");  // more than 32 bits: text
  OBJECT_ATTRIBUTES attributes;
  UNICODE_STRING path = counted(u"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\sample");
  UNICODE_STRING parameters = counted(u"Parameters"), mode = counted(u"mode"), count = counted(u"Count");
  HANDLE service, key;
  InitializeObjectAttributes(&attributes, &path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, nullptr, nullptr);
  ASSERT_EQ(ZwOpenKey(&service, KEY_READ, &attributes), STATUS_SUCCESS);
  InitializeObjectAttributes(&attributes, &parameters, OBJ_CASE_INSENSITIVE, service, nullptr);
  ASSERT_EQ(ZwOpenKey(&key, KEY_READ, &attributes), STATUS_SUCCESS);
  alignas(8) UCHAR buffer[64];
  auto* info = reinterpret_cast<KEY_VALUE_PARTIAL_INFORMATION*>(buffer);
  ULONG size = 0;
  ASSERT_EQ(ZwQueryValueKey(key, &count, KeyValuePartialInformation, buffer, sizeof buffer, &size), STATUS_SUCCESS);
  EXPECT_EQ(info->Type, static_cast<ULONG>(REG_DWORD));
  EXPECT_EQ(info->DataLength, 4u);
  EXPECT_EQ(info->Data[0], 0x10);
  ASSERT_EQ(ZwQueryValueKey(key, &mode, KeyValuePartialInformation, buffer, sizeof buffer, &size), STATUS_SUCCESS);
  EXPECT_EQ(info->Type, static_cast<ULONG>(REG_SZ));
  EXPECT_EQ(info->DataLength, 14u);  // six letters and the terminator
  EXPECT_EQ(to_utf8(view_of(reinterpret_cast<PCWSTR>(info->Data))), "robust");
  EXPECT_EQ(ZwQueryValueKey(key, &mode, KeyValuePartialInformation, buffer, 14, &size), STATUS_BUFFER_OVERFLOW);
  EXPECT_EQ(ZwQueryValueKey(key, &mode, KeyValuePartialInformation, nullptr, 0, &size), STATUS_BUFFER_TOO_SMALL);
  EXPECT_EQ(size, 26u);
  EXPECT_EQ(ZwQueryValueKey(key, &parameters, KeyValuePartialInformation, buffer, sizeof buffer, &size),
            STATUS_OBJECT_NAME_NOT_FOUND);
  EXPECT_EQ(kernel->registry().get("sample", "big")->type, static_cast<ULONG>(REG_SZ));
  EXPECT_EQ(ZwClose(key), STATUS_SUCCESS);
  EXPECT_EQ(ZwClose(service), STATUS_SUCCESS);
}

TEST_P(Drivers, RegistryTable) {
  kernel->registry().set("sample", "count", "7");
  ULONG value = 0, missing = 0, fallback = 42;
  RTL_QUERY_REGISTRY_TABLE table[4] = {};
  table[0].Flags = RTL_QUERY_REGISTRY_SUBKEY;
  table[0].Name = const_cast<PWSTR>(wide(u"Parameters"));
  table[1].Flags = RTL_QUERY_REGISTRY_DIRECT;
  table[1].Name = const_cast<PWSTR>(wide(u"count"));
  table[1].EntryContext = &value;
  table[2].Flags = RTL_QUERY_REGISTRY_DIRECT;
  table[2].Name = const_cast<PWSTR>(wide(u"missing"));
  table[2].EntryContext = &missing;
  table[2].DefaultType = REG_DWORD;
  table[2].DefaultData = &fallback;
  EXPECT_EQ(RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, wide(u"sample"), table, nullptr, nullptr), STATUS_SUCCESS);
  EXPECT_EQ(value, 7u);
  EXPECT_EQ(missing, 42u);
}

// The documented form of a type-checked entry: the wanted type in the top byte, the default's type in the low one.
TEST_P(Drivers, RegistryTableChecksTypesAndLengths) {
  kernel->registry().set("sample", "name", "text");
  ULONG value = 0, fallback = 42;
  RTL_QUERY_REGISTRY_TABLE table[3] = {};
  table[0].Flags = RTL_QUERY_REGISTRY_SUBKEY;
  table[0].Name = const_cast<PWSTR>(wide(u"Parameters"));
  table[1].Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK;
  table[1].Name = const_cast<PWSTR>(wide(u"missing"));
  table[1].EntryContext = &value;
  table[1].DefaultType = REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT | REG_DWORD;
  table[1].DefaultData = &fallback;
  const auto query = [&] {
    return RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, wide(u"sample"), table, nullptr, nullptr);
  };
  EXPECT_EQ(query(), STATUS_SUCCESS);
  EXPECT_EQ(value, 42u);
  table[1].DefaultLength = 2;  // half a number
  EXPECT_EQ(query(), STATUS_INVALID_PARAMETER);
  table[1].Name = const_cast<PWSTR>(wide(u"name"));
  EXPECT_EQ(query(), STATUS_OBJECT_TYPE_MISMATCH);
  table[1].Flags = 0;  // neither a routine nor a place to store to
  EXPECT_EQ(query(), STATUS_INVALID_PARAMETER);

  WCHAR room[5];
  UNICODE_STRING name{0, sizeof room, room};
  table[1].Flags = RTL_QUERY_REGISTRY_DIRECT;
  table[1].EntryContext = &name;
  EXPECT_EQ(query(), STATUS_SUCCESS);
  EXPECT_EQ(to_utf8(view_of(name)), "text");
  name.MaximumLength = 8;  // without the terminator's room
  EXPECT_EQ(query(), STATUS_BUFFER_TOO_SMALL);
  table[1].Name = const_cast<PWSTR>(wide(u"missing"));
  table[1].DefaultType = REG_SZ;
  table[1].DefaultLength = 1;
  EXPECT_EQ(query(), STATUS_BUFFER_TOO_SMALL);
}

class Text : public KernelTest {
 protected:
  void SetUp() override { start(Mode::Real); }
};

TEST_F(Text, DbgPrintSpeaksTheDocumentedFormats) {
  std::vector<std::string> lines;
  kernel->set_debug_sink([&](DriverId, unsigned level, const std::string& line) {
    lines.push_back(std::to_string(level) + " " + line);
  });
  UNICODE_STRING name = counted(u"N\u00e4me");
  DbgPrint("%d %5u|%-4x|%#x %s %c%%", -1, 2u, 0xabu, 0xcdu, "text", 'q');
  DbgPrintEx(DPFLTR_IHVNETWORK_ID, DPFLTR_ERROR_LEVEL, "%I64u %llx %wZ %ws %S %ld %lu", UINT64_MAX, 1ull << 40, &name,
             wide(u"wide"), wide(u"big"), -5, 7u);
  DbgPrint("%.2s|%*d|%p|%s", "abcdef", 4, 7, reinterpret_cast<void*>(0x1234), static_cast<const char*>(nullptr));
  EXPECT_THAT(
      lines, ElementsAre("3 -1     2|ab  |0xcd text q%", "0 18446744073709551615 10000000000 N\u00e4me wide big -5 7",
                         "3 ab|   7|0000000000001234|(null)"));
}

TEST_F(Text, DbgPrintCutsWhatIsTooLong) {
  std::string line;
  kernel->set_debug_sink([&](DriverId, unsigned, const std::string& text) { line = text; });
  const std::string long_text(kMaxFormattedBytes + 100, 'x');
  DbgPrint("%s", long_text.c_str());
  EXPECT_EQ(line.size(), kMaxFormattedBytes);
  DbgPrint("%-1000s|", "a");
  EXPECT_EQ(line.size(), 1001u);
  DbgPrint("%99999999999d|", 1);  // a width that no int holds
  EXPECT_EQ(line.size(), kMaxFormattedBytes);
}

TEST_F(Text, StringRoutinesNeedPassiveLevel) {
  char room[8];
  const IrqlScope level(DISPATCH_LEVEL);
  EXPECT_EQ(RtlStringCchCopyA(room, 8, "x"), STATUS_SUCCESS);
  EXPECT_EQ(RtlStringCbPrintfA(room, 8, "%d", 1), STATUS_SUCCESS);
  ULONG bytes = 0;
  EXPECT_EQ(RtlUnicodeToMultiByteN(room, 8, &bytes, wide(u"x"), 2), STATUS_SUCCESS);
  EXPECT_THAT(ledger::take_messages(),
              ElementsAre(HasSubstr("RtlStringCchCopyA was called at DISPATCH_LEVEL"),
                          HasSubstr("RtlStringCbPrintfA"), HasSubstr("may be called at APC_LEVEL at most")));
}

TEST_F(Text, BoundedStrings) {
  char small[6];
  EXPECT_EQ(RtlStringCchCopyA(small, 6, "hello"), STATUS_SUCCESS);
  EXPECT_EQ(RtlStringCchCopyA(small, 6, "longer"), STATUS_BUFFER_OVERFLOW);
  EXPECT_STREQ(small, "longe");
  EXPECT_EQ(RtlStringCchCopyA(small, 0, "x"), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(RtlStringCchPrintfA(small, 6, "%u-%s", 12u, "abc"), STATUS_BUFFER_OVERFLOW);
  EXPECT_STREQ(small, "12-ab");
  SIZE_T length = 0;
  EXPECT_EQ(RtlStringCchLengthA("abc", 4, &length), STATUS_SUCCESS);
  EXPECT_EQ(length, 3u);
  EXPECT_EQ(RtlStringCchLengthA("abcd", 4, &length), STATUS_INVALID_PARAMETER);
  WCHAR room[16];
  EXPECT_EQ(RtlStringCchPrintfW(room, 16, wide(u"%s %d"), wide(u"w"), 3), STATUS_SUCCESS);
  EXPECT_EQ(to_utf8(view_of(static_cast<PCWSTR>(room))), "w 3");
}

TEST_F(Text, CountedStrings) {
  WCHAR room[8];
  UNICODE_STRING string{0, sizeof room, room}, abc = counted(u"ABC"), lower = counted(u"abc");
  EXPECT_EQ(RtlAppendUnicodeStringToString(&string, &abc), STATUS_SUCCESS);
  EXPECT_EQ(RtlAppendUnicodeToString(&string, wide(u"defgh")), STATUS_SUCCESS);
  EXPECT_EQ(RtlAppendUnicodeToString(&string, wide(u"i")), STATUS_BUFFER_TOO_SMALL);
  EXPECT_EQ(to_utf8(view_of(string)), "ABCdefgh");
  EXPECT_FALSE(RtlEqualUnicodeString(&abc, &lower, FALSE));
  EXPECT_TRUE(RtlEqualUnicodeString(&abc, &lower, TRUE));
  ULONG value = 0;
  UNICODE_STRING hex = counted(u"0x1F rest");
  EXPECT_EQ(RtlUnicodeStringToInteger(&hex, 0, &value), STATUS_SUCCESS);
  EXPECT_EQ(value, 0x1fu);
  EXPECT_EQ(to_utf8(to_utf16("a\xff\xf0\x9f\x98\x80")), "a\xef\xbf\xbd\xf0\x9f\x98\x80");
}

TEST_F(Text, AssertionIsAViolation) {
  const bool truth = false;
  NT_ASSERT(truth);
  EXPECT_THAT(ledger::take_messages(), ElementsAre(HasSubstr("assertion failed: truth at")));
}

void leave_a_thread() {
  ledger::reset();
  const ledger::DriverScope scope(ledger::add_driver("leaver"));
  SteadyClock clock;
  Kernel kernel(std::make_unique<RealScheduler>(clock));
  kernel.scheduler().start_thread("thread 1 of leaver", ledger::current_driver(), [] {
    for (;;) std::this_thread::sleep_for(std::chrono::seconds(1));
  });
  const ledger::DriverScope none(ledger::kNoDriver);
}

TEST(BugCheckDeathTest, AThreadThatIsLeftNamesItsDriverAndNotOurStack) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(leave_a_thread(), "still run: system thread 1 of leaver;.*\n\\*\\*\\* driver leaver,.*\n$");
}

TEST(BugCheckDeathTest, PrintsCodeParametersDriverAndStack) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      KeBugCheckEx(0xD1, 1, 2, 3, 4),
      "STOP: 0x000000D1 \\(0x0000000000000001, 0x0000000000000002, 0x0000000000000003, 0x0000000000000004\\)");
  EXPECT_DEATH(Kernel::current(), "CHECK failed: kernel != nullptr");
}

}  // namespace
}  // namespace wfp::kernel
