/* Atomic operations by their Windows names, as inline functions over compiler atomics. Compiles as C11 and as C++20.
 *
 * Each is a full barrier unless its name ends in Acquire, Release or NoFence. Increment, Decrement and Add return the
 * new value; Exchange, ExchangeAdd, CompareExchange, And, Or and Xor the old one. Any IRQL, any thread. */
#ifndef WFPTAP_NT_INTERLOCKED_H
#define WFPTAP_NT_INTERLOCKED_H

#include "nt/types.h"

/* one family of functions for the type T with the name suffix S */
#define WFPTAP_INTERLOCKED_FAMILY(T, S)                                                                   \
  FORCEINLINE T InterlockedIncrement##S(T volatile* Addend) {                                             \
    return __atomic_add_fetch(Addend, 1, __ATOMIC_SEQ_CST);                                               \
  }                                                                                                       \
  FORCEINLINE T InterlockedDecrement##S(T volatile* Addend) {                                             \
    return __atomic_sub_fetch(Addend, 1, __ATOMIC_SEQ_CST);                                               \
  }                                                                                                       \
  FORCEINLINE T InterlockedAdd##S(T volatile* Addend, T Value) {                                          \
    return __atomic_add_fetch(Addend, Value, __ATOMIC_SEQ_CST);                                           \
  }                                                                                                       \
  FORCEINLINE T InterlockedExchangeAdd##S(T volatile* Addend, T Value) {                                  \
    return __atomic_fetch_add(Addend, Value, __ATOMIC_SEQ_CST);                                           \
  }                                                                                                       \
  FORCEINLINE T InterlockedExchange##S(T volatile* Target, T Value) {                                     \
    return __atomic_exchange_n(Target, Value, __ATOMIC_SEQ_CST);                                          \
  }                                                                                                       \
  FORCEINLINE T InterlockedAnd##S(T volatile* Destination, T Value) {                                     \
    return __atomic_fetch_and(Destination, Value, __ATOMIC_SEQ_CST);                                      \
  }                                                                                                       \
  FORCEINLINE T InterlockedOr##S(T volatile* Destination, T Value) {                                      \
    return __atomic_fetch_or(Destination, Value, __ATOMIC_SEQ_CST);                                       \
  }                                                                                                       \
  FORCEINLINE T InterlockedXor##S(T volatile* Destination, T Value) {                                     \
    return __atomic_fetch_xor(Destination, Value, __ATOMIC_SEQ_CST);                                      \
  }                                                                                                       \
  FORCEINLINE T InterlockedCompareExchange##S(T volatile* Destination, T ExChange, T Comperand) {         \
    T expected = Comperand;                                                                               \
    __atomic_compare_exchange_n(Destination, &expected, ExChange, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
    return expected;                                                                                      \
  }

WFPTAP_INTERLOCKED_FAMILY(LONG, )
WFPTAP_INTERLOCKED_FAMILY(LONG64, 64)

FORCEINLINE LONG InterlockedIncrementNoFence(LONG volatile* Addend) {
  return __atomic_add_fetch(Addend, 1, __ATOMIC_RELAXED);
}
FORCEINLINE LONG InterlockedDecrementNoFence(LONG volatile* Addend) {
  return __atomic_sub_fetch(Addend, 1, __ATOMIC_RELAXED);
}
FORCEINLINE LONG InterlockedIncrementAcquire(LONG volatile* Addend) {
  return __atomic_add_fetch(Addend, 1, __ATOMIC_ACQUIRE);
}
FORCEINLINE LONG InterlockedDecrementRelease(LONG volatile* Addend) {
  return __atomic_sub_fetch(Addend, 1, __ATOMIC_ACQ_REL);
}
FORCEINLINE CHAR InterlockedExchange8(CHAR volatile* Target, CHAR Value) {
  return __atomic_exchange_n(Target, Value, __ATOMIC_SEQ_CST);
}
FORCEINLINE SHORT InterlockedIncrement16(SHORT volatile* Addend) {
  return __atomic_add_fetch(Addend, 1, __ATOMIC_SEQ_CST);
}
FORCEINLINE SHORT InterlockedDecrement16(SHORT volatile* Addend) {
  return __atomic_sub_fetch(Addend, 1, __ATOMIC_SEQ_CST);
}
FORCEINLINE PVOID InterlockedExchangePointer(PVOID volatile* Target, PVOID Value) {
  return __atomic_exchange_n(Target, Value, __ATOMIC_SEQ_CST);
}
FORCEINLINE PVOID InterlockedCompareExchangePointer(PVOID volatile* Destination, PVOID ExChange, PVOID Comperand) {
  PVOID expected = Comperand;
  __atomic_compare_exchange_n(Destination, &expected, ExChange, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return expected;
}
FORCEINLINE UCHAR InterlockedBitTestAndSet(LONG volatile* Base, LONG Bit) {
  return (UCHAR)(((ULONG)InterlockedOr(Base, (LONG)(1u << Bit)) >> Bit) & 1u);
}
FORCEINLINE UCHAR InterlockedBitTestAndReset(LONG volatile* Base, LONG Bit) {
  return (UCHAR)(((ULONG)InterlockedAnd(Base, (LONG) ~(1u << Bit)) >> Bit) & 1u);
}
FORCEINLINE LONG ReadAcquire(LONG const volatile* Source) { return __atomic_load_n(Source, __ATOMIC_ACQUIRE); }
FORCEINLINE LONG ReadNoFence(LONG const volatile* Source) { return __atomic_load_n(Source, __ATOMIC_RELAXED); }
FORCEINLINE LONG64 ReadAcquire64(LONG64 const volatile* Source) { return __atomic_load_n(Source, __ATOMIC_ACQUIRE); }
FORCEINLINE LONG64 ReadNoFence64(LONG64 const volatile* Source) { return __atomic_load_n(Source, __ATOMIC_RELAXED); }
FORCEINLINE VOID WriteRelease(LONG volatile* Destination, LONG Value) {
  __atomic_store_n(Destination, Value, __ATOMIC_RELEASE);
}
FORCEINLINE VOID WriteNoFence(LONG volatile* Destination, LONG Value) {
  __atomic_store_n(Destination, Value, __ATOMIC_RELAXED);
}
FORCEINLINE VOID WriteRelease64(LONG64 volatile* Destination, LONG64 Value) {
  __atomic_store_n(Destination, Value, __ATOMIC_RELEASE);
}
FORCEINLINE PVOID ReadPointerAcquire(PVOID const volatile* Source) {
  return __atomic_load_n(Source, __ATOMIC_ACQUIRE);
}
FORCEINLINE VOID WritePointerRelease(PVOID volatile* Destination, PVOID Value) {
  __atomic_store_n(Destination, Value, __ATOMIC_RELEASE);
}
FORCEINLINE VOID KeMemoryBarrier(VOID) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
#define MemoryBarrier() KeMemoryBarrier()
#define YieldProcessor() __asm__ volatile("" ::: "memory")

#endif
