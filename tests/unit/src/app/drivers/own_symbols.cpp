// A driver with an allocator of its own, as kernel code in C++ has. DriverEntry succeeds when its own was called, before it
// by a constructor too.
#include <ntddk.h>

#include <cstddef>

namespace {

int allocated, freed;
alignas(16) unsigned char memory[256];

struct Made {
  Made() : value(new int(7)) {}
  int* value;
};

}  // namespace

__attribute__((noinline)) void* operator new(std::size_t size) {
  (void)size;
  return memory + 16 * allocated++;
}
__attribute__((noinline)) void operator delete(void*) noexcept { ++freed; }
__attribute__((noinline)) void operator delete(void*, std::size_t) noexcept { ++freed; }

static Made made;

extern "C" NTSTATUS DriverEntry(PDRIVER_OBJECT, PUNICODE_STRING) {
  const bool is_ours = reinterpret_cast<unsigned char*>(made.value) == memory;
  delete made.value;
  return is_ours && allocated == 1 && freed == 1 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}
