// Who holds what: every object that a driver acquires is entered here under that driver and struck out when it is
// given back. What remains at unload is a leak, what is given back twice a violation; both are named with their rule.
//
// The driver that runs is known from a thread-local scope, set around every call into a driver and in the threads
// that a driver creates. An object belongs to the driver that acquired it, whoever releases it; where several hold
// references to one packet, each gives back its own first. Outside any scope nothing is entered: the stack's own
// objects cost one thread-local load.
//
// Any thread, any IRQL. No function calls out with a lock held. Off: one relaxed load. Standard: a counter for each
// kind and driver and a sharded table, so that double and unknown releases are found, and the place in the driver of each
// acquisition and of the latest releases (place.hpp). Full: a stack trace instead of the place.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wfp/ledger/place.hpp"

namespace wfp::ledger {

enum class Level : std::uint8_t { off, standard, full };

enum class Kind : std::uint8_t {
  net_buffer_list,  // allocated by a driver
  clone,            // of a packet
  nbl_reference,    // nests: one object may be entered several times, and by several drivers
  net_buffer,
  mdl,
  buffer_pool,      // NDIS pool handle
  pool_allocation,  // memory with a tag
  injection,        // accepted, completion still to come
  injection_handle,
  flow_context,
  pended_operation,
  classify_handle,
  callout_registration,
  engine_session,
  thread,
  timer,
  work_item,
  dpc,
  file_handle,  // kernel handle: thread, key, file
  device_object,
  lookaside_list,
  other,  // NDIS objects
};
inline constexpr std::size_t kKindCount = static_cast<std::size_t>(Kind::other) + 1;
std::string_view name_of(Kind kind);

// --- drivers ---

using DriverId = std::uint32_t;
inline constexpr DriverId kNoDriver = 0;
inline constexpr std::size_t kDriverLimit = 256;  // loaded over the life of the process, names reused

// The same name gives the same id again, so that a driver that was reloaded keeps its row. kNoDriver when the table
// is full.
DriverId add_driver(std::string_view name);
std::string driver_name(DriverId driver);
DriverId current_driver() noexcept;

// Everything acquired on this thread while the scope lives belongs to `driver`. Scopes nest.
class DriverScope {
 public:
  explicit DriverScope(DriverId driver) noexcept;
  ~DriverScope();
  DriverScope(const DriverScope&) = delete;
  DriverScope& operator=(const DriverScope&) = delete;

 private:
  DriverId before_;
  const void* walk_limit_before_;
};

// --- objects ---

void set_level(Level level);
Level level() noexcept;

// `detail` says more about the object (a tag, a function name); it is kept as a pointer and must outlive the object.
void acquire(Kind kind, const void* object, const char* detail = "", std::size_t bytes = 0);
// For code that runs outside the scope of the driver that the object is for.
void acquire_for(DriverId driver, Kind kind, const void* object, const char* detail = "", std::size_t bytes = 0);

enum class Release : std::uint8_t {
  ok,
  untracked,  // nothing can be said: the level is or was off, or no driver runs
  unknown,    // never acquired, or released before
};
// Does not report by itself: the caller knows which rule an unknown release breaks.
Release release(Kind kind, const void* object);

struct Sample {
  Kind kind = Kind::other;
  const void* object = nullptr;
  const char* detail = "";
  std::size_t bytes = 0;
  std::uint64_t sequence = 0;  // order of acquisition over all objects
  std::vector<void*> stack;    // of the acquisition, innermost first; at the level standard the place in the driver
};

struct Alive {
  std::array<std::size_t, kKindCount> counts{};
  std::size_t bytes = 0;        // of pool allocations
  std::vector<Sample> samples;  // the oldest ones
  std::size_t total() const;
};
inline constexpr std::size_t kSampleLimit = 16;
inline constexpr std::size_t kOriginLimit = 8;  // different places of acquisition that are told of one kind
Alive alive(DriverId driver, std::size_t sample_limit = kSampleLimit);
std::size_t alive_count(DriverId driver, Kind kind);
// Of the oldest live object of this kind and of one object of the running driver: which packet was being classified
// when it was acquired. Empty unless the level was full then.
std::string oldest_packet(DriverId driver, Kind kind);
std::string packet_of(Kind kind, const void* object);
// Where what `driver` still holds of a kind was acquired: the oldest places first, each once with its count. With
// `detail`: only of objects entered with that one.
std::vector<Origin> acquired_at(DriverId driver, Kind kind, std::string_view detail = {});
// What is known of one object, alive or lately released: where it was acquired, and where released.
std::vector<Origin> history_of(Kind kind, const void* object);

// An injecting call refused this packet (NET_BUFFER_LIST or clone), so that its completion function never runs: what leaks
// after that, leaks for another reason than other packets.
void mark_refused(const void* nbl);
std::size_t refused_count(DriverId driver, Kind kind);  // of those that are alive

// Strikes out all that `driver` still holds, after its unload was reported. Returns how many entries there were.
std::size_t forget(DriverId driver);

// Clears everything, drivers and violations included. For tests.
void reset();

}  // namespace wfp::ledger
