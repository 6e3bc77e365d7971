#include "wfp/ledger/place.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <memory>
#include <mutex>

namespace wfp::ledger {
namespace {

constexpr std::uintptr_t kNowhere = std::numeric_limits<std::uintptr_t>::max();
constexpr int kMaxFrames = 64;

// Read without a lock. `begin` is written last and taken away first, so that a slot that is not whole holds nothing.
struct Image {
  std::atomic<std::uintptr_t> begin{kNowhere}, end{0}, base{0};
  std::atomic<const char*> path{nullptr};
};

constinit std::array<Image, kImageLimit> slots{};
constinit std::atomic<std::size_t> slots_used{0};  // the first ones; the rest was never taken

struct Writers {
  std::mutex mutex;
  std::vector<std::unique_ptr<const std::string>> paths;
};

Writers& writers() {
  static Writers* const instance = new Writers;  // never destroyed, as the ledger's state
  return *instance;
}

// With the mutex held.
const char* kept_path(Writers& all, const std::string& path) {
  const auto known = std::ranges::find_if(all.paths, [&](const auto& kept) { return *kept == path; });
  if (known != all.paths.end()) return (*known)->c_str();
  if (all.paths.size() == kImagePathLimit) return nullptr;
  return all.paths.emplace_back(std::make_unique<const std::string>(path))->c_str();
}

constinit thread_local const void* walk_limit = nullptr;

// What a function with a frame pointer leaves on the stack.
struct Frame {
  const Frame* caller;
  void* return_address;
};

// The innermost image is most often the only one.
bool is_driver_call(const void* return_address, std::size_t used) {
  const auto address = reinterpret_cast<std::uintptr_t>(return_address) - 1;
  for (std::size_t i = 0; i < used; ++i)
    if (address >= slots[i].begin.load(std::memory_order_relaxed) &&
        address < slots[i].end.load(std::memory_order_relaxed))
      return true;
  return false;
}

bool is_above(const void* one, const void* other) {
  return reinterpret_cast<std::uintptr_t>(one) > reinterpret_cast<std::uintptr_t>(other);
}

}  // namespace

bool add_image(const std::string& path, std::uintptr_t base, std::uintptr_t begin, std::uintptr_t end) {
  Writers& all = writers();
  const std::lock_guard lock(all.mutex);
  const auto free = std::ranges::find_if(slots, [](const Image& image) { return image.begin == kNowhere; });
  const char* const kept = kept_path(all, path);
  if (free == slots.end() || kept == nullptr) return false;
  free->path = kept;
  free->base = base;
  free->end = end;
  free->begin = begin;
  slots_used = std::max<std::size_t>(slots_used, static_cast<std::size_t>(free - slots.begin()) + 1);
  return true;
}

void remove_image(std::uintptr_t base) {
  const std::lock_guard lock(writers().mutex);
  for (Image& image : slots)
    if (image.begin != kNowhere && image.base == base) image.begin = kNowhere;
}

Place place_of(const void* instruction) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(instruction);
  const std::size_t used = slots_used.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < used; ++i) {
    const Image& image = slots[i];
    if (address >= image.begin.load(std::memory_order_acquire) && address < image.end.load(std::memory_order_relaxed))
      return {image.path, address - image.base};
  }
  return {};
}

Place place_of_call(const void* return_address) noexcept {
  return return_address == nullptr ? Place() : place_of(static_cast<const char*>(return_address) - 1);
}

std::vector<Place> places_of_calls(const std::vector<void*>& stack) {
  std::vector<Place> places;
  for (const void* const address : stack)
    if (const Place place = place_of_call(address)) places.push_back(place);
  return places;
}

void* calling_address() noexcept {
  const auto* frame = static_cast<const Frame*>(__builtin_frame_address(0));
  const void* const limit = walk_limit;
  const std::size_t used = slots_used.load(std::memory_order_relaxed);
  for (int i = 0; i < kMaxFrames && is_above(limit, frame); ++i) {
    if (is_driver_call(frame->return_address, used)) return frame->return_address;
    // A caller without a frame pointer has left anything here: only what leads outwards is followed.
    const bool leads_out =
        is_above(frame->caller, frame) && reinterpret_cast<std::uintptr_t>(frame->caller) % alignof(Frame) == 0;
    if (!leads_out) return nullptr;
    frame = frame->caller;
  }
  return nullptr;
}

const void* set_walk_limit(const void* limit) noexcept {
  const void* const before = walk_limit;
  walk_limit = limit;
  return before;
}

}  // namespace wfp::ledger
