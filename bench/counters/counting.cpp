#include "bench/counters/counting.hpp"

#include <dlfcn.h>
#include <pthread.h>
#include <valgrind/callgrind.h>

#include <atomic>
#include <cstddef>

// The C library's own names for what is counted here on the way.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

namespace counters {
namespace {

std::atomic<std::uint64_t> allocations{0}, locks{0}, wakes{0};
std::atomic<bool> is_on{false};
std::atomic<int> depth{0};  // of Counted scopes, over the simulation's threads, of which one runs at a time

void count(std::atomic<std::uint64_t>& counter) {
  if (depth.load(std::memory_order_relaxed) > 0 && is_on.load(std::memory_order_relaxed))
    counter.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

void begin() {
  allocations = locks = wakes = 0;
  is_on = true;
}

Counts end() {
  is_on = false;
  return {allocations, locks, wakes};
}

void count_wake() { count(wakes); }

Counted::Counted() {
  if (depth.fetch_add(1) == 0 && is_on) CALLGRIND_TOGGLE_COLLECT;
}
Counted::~Counted() {
  if (depth.fetch_sub(1) == 1 && is_on) CALLGRIND_TOGGLE_COLLECT;
}

}  // namespace counters

extern "C" {

void* malloc(std::size_t size) {
  counters::count(counters::allocations);
  return __libc_malloc(size);
}
void* calloc(std::size_t number, std::size_t size) {
  counters::count(counters::allocations);
  return __libc_calloc(number, size);
}
void* realloc(void* block, std::size_t size) {
  counters::count(counters::allocations);
  return __libc_realloc(block, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  counters::count(counters::allocations);
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }

int pthread_mutex_lock(pthread_mutex_t* mutex) {
  static const auto real = reinterpret_cast<int (*)(pthread_mutex_t*)>(dlsym(RTLD_NEXT, "pthread_mutex_lock"));
  counters::count(counters::locks);
  return real(mutex);
}
int pthread_mutex_trylock(pthread_mutex_t* mutex) {
  static const auto real = reinterpret_cast<int (*)(pthread_mutex_t*)>(dlsym(RTLD_NEXT, "pthread_mutex_trylock"));
  counters::count(counters::locks);
  return real(mutex);
}

}  // extern "C"
