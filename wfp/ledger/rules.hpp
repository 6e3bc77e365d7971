// Every rule that the verifier knows, by the id that reports, tests and users match on: ids are stable. Noticed where
// the thing happens (each constant's users), reported through ledger::report (violation.hpp) with a message that says what
// was wrong and what to do. To add one: a line here, the check, a driver in tests/callouts or a unit test that breaks it.
#pragma once

namespace wfp::ledger::rule {

using Id = const char*;

// --- what a classifyFn leaves behind ---
inline constexpr Id kOffsets = "OFS-UNBALANCED";          // a data start or length is not where it was
inline constexpr Id kLeftBehind = "CALLOUT-LEFT-BEHIND";  // a callout is still registered when its driver is gone
inline constexpr Id kNoRight = "ARB-NO-RIGHT";            // an action was written without the right to
inline constexpr Id kNotSet = "ARB-ACTION-NOT-SET";       // the action is none, with the right to set one
inline constexpr Id kTerminating = "ARB-TERMINATING-CONTINUE";  // a terminating callout let others decide
inline constexpr Id kAbsorb = "ARB-ABSORB-INVALID";             // absorbed without blocking, or where nothing can be
inline constexpr Id kOverruled = "ARB-ABSORB-OVERRULED";   // kept by the driver and passed on by a lighter sublayer
inline constexpr Id kAleSkipped = "ALE-CLASSIFY-SKIPPED";  // absorbed at transport what ALE must see first

// --- levels and locks ---
inline constexpr Id kIrql = "IRQL-TOO-HIGH";                   // a function was called above (below) its level
inline constexpr Id kIrqlLeak = "IRQL-LEAK";                   // a routine returned at another level than it began
inline constexpr Id kLockRecursion = "LOCK-RECURSION";         // acquired by the thread that holds it
inline constexpr Id kLockStranger = "LOCK-STRANGER";           // released by a thread that does not hold it
inline constexpr Id kLockHeld = "LOCK-HELD-IN-CALL";           // a call that runs callouts was made under a spin lock
inline constexpr Id kLockInlineInject = "LOCK-INLINE-INJECT";  // injected under a lock that the completion will want
inline constexpr Id kMutex = "MUTEX-NOT-OWNED";
inline constexpr Id kRundown = "RUNDOWN";  // released more often than acquired

// --- packets and buffers ---
inline constexpr Id kNblDoubleFree = "NBL-DOUBLE-FREE";
inline constexpr Id kNblOverRelease = "NBL-OVER-RELEASE";             // dereferenced more often than referenced
inline constexpr Id kNblFreeWithChildren = "NBL-FREE-WITH-CHILDREN";  // freed while clones of it are out
inline constexpr Id kNblNotAClone = "NBL-NOT-A-CLONE";                // freed as a clone what was not cloned
inline constexpr Id kNblPoolInUse = "NBL-POOL-IN-USE";                // a pool freed before its packets
inline constexpr Id kNblPoolFreed = "NBL-POOL-FREED";                 // a pool used after it was freed
inline constexpr Id kNblChainInject = "NBL-CHAIN-INJECT";             // several NET_BUFFER_LISTs in one injection
inline constexpr Id kNblMultiReceive = "NBL-MULTI-NB-RECV";           // several NET_BUFFERs in one receive injection
inline constexpr Id kMdlDoubleFree = "MDL-DOUBLE-FREE";
inline constexpr Id kNdisObjectDoubleFree = "NDIS-OBJECT-DOUBLE-FREE";

// --- injections ---
inline constexpr Id kInjectTwice = "INJ-TWICE";                  // the same packet, while its injection is under way
inline constexpr Id kInjectFreeInFlight = "INJ-FREE-IN-FLIGHT";  // freed before its completion function has run
inline constexpr Id kInjectChanged = "INJ-CHANGED-IN-FLIGHT";    // its data start or length, after the call
inline constexpr Id kInjectOriginal = "INJ-ORIGINAL";            // the indicated packet itself instead of a clone
inline constexpr Id kInjectSendArgs = "INJ-SENDARGS-NULL";
inline constexpr Id kInjectInterface = "INJ-WRONG-INTERFACE";   // received on another interface than it came in by
inline constexpr Id kInjectUnaligned = "INJ-UNALIGNED-HEADER";  // an IP header that is not aligned in its buffer
inline constexpr Id kInjectLoop = "INJ-LOOP";                   // a packet and its clones, injected again and again
inline constexpr Id kInjectRefused = "INJ-REFUSED";             // the call failed; a note where that is no mistake
inline constexpr Id kNotAnIpHeader = "OFS-NOT-AN-IP-HEADER";    // the data does not start at an IP header

// --- pended operations ---
inline constexpr Id kPendOnReauth = "PEND-ON-REAUTH";  // pended where only an answer is possible
inline constexpr Id kPendDoubleComplete = "PEND-DOUBLE-COMPLETE";
inline constexpr Id kPendLeft = "PEND-LEFT-AT-UNLOAD";

// --- memory and objects of the kernel ---
inline constexpr Id kPoolLeak = "POOL-LEAK-UNLOAD";
inline constexpr Id kPoolFree = "POOL-BAD-FREE";  // freed twice, or never allocated
inline constexpr Id kPoolTag = "POOL-WRONG-TAG";
inline constexpr Id kPoolOverrun = "POOL-OVERWRITE";  // written beyond its end
inline constexpr Id kPoolUseAfterFree = "POOL-USE-AFTER-FREE";
inline constexpr Id kObject = "OBJECT-NOT-INITIALIZED";
inline constexpr Id kHandle = "HANDLE-BAD";
inline constexpr Id kWorkItem = "WORK-ITEM";     // queued twice, freed while queued, or never freed
inline constexpr Id kApiFree = "FWPM-BAD-FREE";  // FwpmFreeMemory of what Fwpm did not return
inline constexpr Id kBound = "BOUND-REACHED";    // a table is full: the call failed
inline constexpr Id kAssert = "DRIVER-ASSERT";   // the driver's own assertion

// --- left at unload ---
inline constexpr Id kThreadLeak = "UNLOAD-THREAD";
inline constexpr Id kDeviceLeak = "UNLOAD-DEVICE";
inline constexpr Id kTimerLeak = "UNLOAD-TIMER";
inline constexpr Id kHandleLeak = "UNLOAD-HANDLE";
inline constexpr Id kResidue = "UNLOAD-RESIDUE";  // any other object: packets, pools, handles, lookaside lists

// --- notes: what never happened ---
inline constexpr Id kNeverAsked = "LAYER-NEVER-ASKED";  // a callout or filter at a layer that wfptap does not ask yet
inline constexpr Id kRegisteredLate =
    "CALLOUT-REGISTERED-LATE";  // after filters that name it: it is not told of them

}  // namespace wfp::ledger::rule
