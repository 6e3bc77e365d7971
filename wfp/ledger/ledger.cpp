#include "wfp/ledger/ledger.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>
#include <numeric>

#include "wfp/ledger/object_table.hpp"
#include "wfp/ledger/recent_releases.hpp"
#include "wfp/ledger/violation.hpp"

namespace wfp::ledger {
namespace {

constexpr std::size_t kShardCount = 64;

struct alignas(64) Shard {
  std::mutex mutex;
  ObjectTable table;
  RecentReleases released;
};

struct Counters {
  std::array<std::atomic<std::int64_t>, kKindCount> counts{};
  std::atomic<std::int64_t> bytes{0};
};

struct State {
  std::array<Shard, kShardCount> shards;
  std::array<Counters, kDriverLimit> counters;
  std::mutex driver_mutex;
  std::vector<std::string> driver_names{""};  // index 0 is kNoDriver
  std::atomic<std::uint64_t> sequence{0};
};

// Never destroyed: objects may be released by threads that outlive main's statics.
State& state() {
  static State* const instance = new State;
  return *instance;
}

std::atomic<Level> current_level{Level::off};
std::atomic<bool> acquired_unseen{false};  // something was acquired while the level was off
thread_local DriverId running_driver = kNoDriver;

Shard& shard_of(Kind kind, const void* object) {
  return state().shards[static_cast<std::size_t>(hash_of(kind, object) >> 58) & (kShardCount - 1)];
}

void count(const Entry& entry, std::int64_t times) {
  auto& row = state().counters[entry.driver];
  row.counts[static_cast<std::size_t>(entry.kind)].fetch_add(times, std::memory_order_relaxed);
  if (entry.bytes != 0)
    row.bytes.fetch_add(times * static_cast<std::int64_t>(entry.bytes), std::memory_order_relaxed);
}

}  // namespace

std::string_view name_of(Kind kind) {
  static constexpr std::array<std::string_view, kKindCount> kNames{"net_buffer_list",
                                                                   "clone",
                                                                   "nbl_reference",
                                                                   "net_buffer",
                                                                   "mdl",
                                                                   "buffer_pool",
                                                                   "pool_allocation",
                                                                   "injection",
                                                                   "injection_handle",
                                                                   "flow_context",
                                                                   "pended_operation",
                                                                   "classify_handle",
                                                                   "callout_registration",
                                                                   "engine_session",
                                                                   "thread",
                                                                   "timer",
                                                                   "work_item",
                                                                   "dpc",
                                                                   "file_handle",
                                                                   "device_object",
                                                                   "lookaside_list",
                                                                   "other"};
  return kNames[static_cast<std::size_t>(kind)];
}

DriverId add_driver(std::string_view name) {
  auto& all = state();
  const std::lock_guard lock(all.driver_mutex);
  const auto found = std::find(all.driver_names.begin() + 1, all.driver_names.end(), name);
  if (found != all.driver_names.end()) return static_cast<DriverId>(found - all.driver_names.begin());
  if (all.driver_names.size() == kDriverLimit) return kNoDriver;
  all.driver_names.emplace_back(name);
  return static_cast<DriverId>(all.driver_names.size() - 1);
}

std::string driver_name(DriverId driver) {
  auto& all = state();
  const std::lock_guard lock(all.driver_mutex);
  return driver < all.driver_names.size() ? all.driver_names[driver] : std::string();
}

DriverId current_driver() noexcept { return running_driver; }

// The scope lies in the frame that calls into the driver, so it bounds the walk for that driver's frames.
DriverScope::DriverScope(DriverId driver) noexcept
    : before_(running_driver), walk_limit_before_(set_walk_limit(this)) {
  running_driver = driver < kDriverLimit ? driver : kNoDriver;
}
DriverScope::~DriverScope() {
  running_driver = before_;
  set_walk_limit(walk_limit_before_);
}

void set_level(Level level) { current_level.store(level, std::memory_order_relaxed); }
Level level() noexcept { return current_level.load(std::memory_order_relaxed); }

void acquire(Kind kind, const void* object, const char* detail, std::size_t bytes) {
  acquire_for(running_driver, kind, object, detail, bytes);
}

void acquire_for(DriverId driver, Kind kind, const void* object, const char* detail, std::size_t bytes) {
  if (driver == kNoDriver || driver >= kDriverLimit || object == nullptr) return;
  const auto how_much = level();
  if (how_much == Level::off) {
    acquired_unseen.store(true, std::memory_order_relaxed);
    return;
  }
  Entry entry;
  entry.object = object;
  entry.kind = kind;
  entry.driver = driver;
  entry.detail = detail;
  entry.bytes = bytes;
  entry.sequence = state().sequence.fetch_add(1, std::memory_order_relaxed);
  if (how_much == Level::full)
    entry.trace = std::make_unique<Trace>(Trace{capture_stack(), current_packet()});
  else
    entry.acquired_at = calling_address();
  count(entry, 1);

  auto& shard = shard_of(kind, object);
  const std::lock_guard lock(shard.mutex);
  Entry* const present = shard.table.find(kind, object, driver);
  const bool is_reference = kind == Kind::nbl_reference;
  if (present == nullptr || (is_reference && present->driver != driver)) {
    shard.table.insert(std::move(entry));
  } else if (is_reference) {
    ++present->nesting;
  } else {
    // The address came back without a release that we saw: the earlier object is gone, the new one takes its place.
    count(*present, -static_cast<std::int64_t>(present->nesting));
    *present = std::move(entry);
  }
}

Release release(Kind kind, const void* object) {
  const auto how_much = level();
  if (how_much == Level::off) return Release::untracked;
  void* const released_at = calling_address();
  std::unique_ptr<Released::Stacks> stacks;
  if (how_much == Level::full) stacks = std::make_unique<Released::Stacks>(Released::Stacks{{}, capture_stack()});
  auto& shard = shard_of(kind, object);
  const std::lock_guard lock(shard.mutex);
  Entry* const entry = shard.table.find(kind, object, running_driver);
  if (entry == nullptr) {
    // What was acquired outside any driver is not here, and is released outside any driver too.
    const bool may_be_unseen = running_driver == kNoDriver || acquired_unseen.load(std::memory_order_relaxed);
    return may_be_unseen ? Release::untracked : Release::unknown;
  }
  count(*entry, -1);
  if (--entry->nesting != 0) return Release::ok;
  Released& released = shard.released.next();
  released.object = object;
  released.kind = kind;
  released.acquired_at = entry->acquired_at;
  released.released_at = released_at;
  if (stacks) stacks->acquired = entry->stack();
  released.stacks = std::move(stacks);
  shard.table.erase(entry);
  return Release::ok;
}

std::size_t Alive::total() const { return std::accumulate(counts.begin(), counts.end(), std::size_t{0}); }

std::size_t alive_count(DriverId driver, Kind kind) {
  if (driver >= kDriverLimit) return 0;
  const auto value = state().counters[driver].counts[static_cast<std::size_t>(kind)].load(std::memory_order_relaxed);
  return value > 0 ? static_cast<std::size_t>(value) : 0;
}

std::string oldest_packet(DriverId driver, Kind kind) {
  std::uint64_t oldest = std::numeric_limits<std::uint64_t>::max();
  std::string packet;
  for (auto& shard : state().shards) {
    const std::lock_guard lock(shard.mutex);
    shard.table.for_each([&](const Entry& entry) {
      if (entry.driver != driver || entry.kind != kind || entry.sequence >= oldest) return;
      oldest = entry.sequence;
      packet = entry.trace ? entry.trace->packet : std::string();
    });
  }
  return packet;
}

std::string packet_of(Kind kind, const void* object) {
  if (level() != Level::full) return {};
  auto& shard = shard_of(kind, object);
  const std::lock_guard lock(shard.mutex);
  const Entry* const entry = shard.table.find(kind, object, running_driver);
  return entry != nullptr && entry->trace ? entry->trace->packet : std::string();
}

Alive alive(DriverId driver, std::size_t sample_limit) {
  Alive result;
  if (driver >= kDriverLimit) return result;
  for (std::size_t kind = 0; kind < kKindCount; ++kind)
    result.counts[kind] = alive_count(driver, static_cast<Kind>(kind));
  result.bytes = static_cast<std::size_t>(
      std::max<std::int64_t>(0, state().counters[driver].bytes.load(std::memory_order_relaxed)));
  if (sample_limit == 0 || result.total() == 0) return result;

  auto older = [](const Sample& a, const Sample& b) { return a.sequence < b.sequence; };
  for (auto& shard : state().shards) {
    const std::lock_guard lock(shard.mutex);
    shard.table.for_each([&](const Entry& entry) {
      if (entry.driver != driver) return;
      if (result.samples.size() == sample_limit) {  // keep the oldest: the heap's top is the youngest of them
        if (entry.sequence > result.samples.front().sequence) return;
        std::pop_heap(result.samples.begin(), result.samples.end(), older);
        result.samples.pop_back();
      }
      result.samples.push_back({entry.kind, entry.object, entry.detail, entry.bytes, entry.sequence, entry.stack()});
      std::push_heap(result.samples.begin(), result.samples.end(), older);
    });
  }
  std::sort(result.samples.begin(), result.samples.end(), older);
  return result;
}

std::vector<Origin> acquired_at(DriverId driver, Kind kind, std::string_view detail) {
  std::vector<Origin> origins;
  if (alive_count(driver, kind) == 0) return origins;
  for (const Sample& sample : alive(driver, std::numeric_limits<std::size_t>::max()).samples) {
    if (sample.kind != kind || (!detail.empty() && detail != sample.detail)) continue;
    auto places = places_of_calls(sample.stack);
    if (places.empty()) continue;
    const auto known = std::ranges::find(origins, places, &Origin::places);
    if (known != origins.end())
      ++known->count;
    else if (origins.size() < kOriginLimit)
      origins.push_back({"acquired", std::move(places)});
  }
  return origins;
}

std::vector<Origin> history_of(Kind kind, const void* object) {
  std::vector<Origin> origins;
  const auto add = [&](const char* what, const std::vector<void*>& stack) {
    if (auto places = places_of_calls(stack); !places.empty()) origins.push_back({what, std::move(places)});
  };
  auto& shard = shard_of(kind, object);
  const std::lock_guard lock(shard.mutex);
  if (const Entry* const entry = shard.table.find(kind, object, running_driver)) {
    add("acquired", entry->stack());
  } else if (const Released* const released = shard.released.find(kind, object)) {
    add("acquired", released->stacks ? released->stacks->acquired : std::vector(1, released->acquired_at));
    add("released", released->stacks ? released->stacks->released : std::vector(1, released->released_at));
  }
  return origins;
}

void mark_refused(const void* nbl) {
  if (level() == Level::off) return;
  for (const Kind kind : {Kind::clone, Kind::net_buffer_list}) {
    auto& shard = shard_of(kind, nbl);
    const std::lock_guard lock(shard.mutex);
    if (Entry* const entry = shard.table.find(kind, nbl, running_driver); entry != nullptr) entry->was_refused = true;
  }
}

std::size_t refused_count(DriverId driver, Kind kind) {
  std::size_t count = 0;
  for (auto& shard : state().shards) {
    const std::lock_guard lock(shard.mutex);
    shard.table.for_each([&](const Entry& entry) {
      if (entry.driver == driver && entry.kind == kind && entry.was_refused) ++count;
    });
  }
  return count;
}

std::size_t forget(DriverId driver) {
  std::size_t forgotten = 0;
  for (auto& shard : state().shards) {
    const std::lock_guard lock(shard.mutex);
    std::vector<std::pair<Kind, const void*>> keys;
    shard.table.for_each([&](const Entry& entry) {
      if (entry.driver == driver) keys.emplace_back(entry.kind, entry.object);
    });
    for (const auto& [kind, object] : keys) {
      Entry* const entry = shard.table.find(kind, object, driver);
      count(*entry, -static_cast<std::int64_t>(entry->nesting));
      shard.table.erase(entry);
    }
    forgotten += keys.size();
  }
  return forgotten;
}

void reset() {
  auto& all = state();
  for (auto& shard : all.shards) {
    const std::lock_guard lock(shard.mutex);
    shard.table.clear();
    shard.released.clear();
  }
  for (auto& row : all.counters) {
    for (auto& value : row.counts) value.store(0, std::memory_order_relaxed);
    row.bytes.store(0, std::memory_order_relaxed);
  }
  {
    const std::lock_guard lock(all.driver_mutex);
    all.driver_names.resize(1);
  }
  acquired_unseen.store(false, std::memory_order_relaxed);
  set_level(Level::off);
  set_sink(nullptr);
  clear_violations();
}

}  // namespace wfp::ledger
