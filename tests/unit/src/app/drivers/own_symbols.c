/* A driver whose functions have names of the C library. DriverEntry succeeds when its own were called. */
#include <ntddk.h>

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath);
int connect(int Port);
int send(int Count);
void error(int Code);

static int Calls;

__attribute__((noinline)) int connect(int Port) { return Calls += Port; }
__attribute__((noinline)) int send(int Count) { return Calls += Count; }
__attribute__((noinline)) void error(int Code) { Calls += Code; }

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(DriverObject);
  UNREFERENCED_PARAMETER(RegistryPath);
  Calls = 0;
  connect(1);
  send(10);
  error(100);
  return Calls == 111 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}
