// Where in a driver's code something happened: the file that the code was mapped from, and how far into it. That is
// all that is taken while drivers run; src/app/places finds function, file and line for it in another process.
//
// The innermost driver on a stack is found by its return address: the first one, from here outwards, that lies in the
// code of an image. Only our own frames are walked for it, which have frame pointers (wfp/CMakeLists.txt), and never
// beyond the frame that called into the driver, so a driver may be compiled as it likes. A few loads; no lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace wfp::ledger {

struct Place {
  const char* image = nullptr;  // path of the file; never freed, one pointer a path. Null: no driver's code
  std::uintptr_t offset = 0;    // from where the image is mapped, as in its symbol table; of a call: its last byte

  explicit operator bool() const { return image != nullptr; }
  bool operator==(const Place&) const = default;
};

// Something that happened to an object before: where, innermost first, and how often at that place.
struct Origin {
  const char* what = "";  // acquired, released
  std::vector<Place> places;
  std::size_t count = 1;
};

// --- images of drivers, entered by whoever maps them ---

inline constexpr std::size_t kImageLimit = 64;       // mapped at one time
inline constexpr std::size_t kImagePathLimit = 256;  // different ones over the life of the process

// `base` is what offsets count from, [begin, end) where its code is. False: too many; its places stay unknown.
bool add_image(const std::string& path, std::uintptr_t base, std::uintptr_t begin, std::uintptr_t end);
void remove_image(std::uintptr_t base);

// Both without a lock, also in a signal handler.
Place place_of(const void* instruction) noexcept;
Place place_of_call(const void* return_address) noexcept;
// Those of `stack`, return addresses from the innermost out, that lie in drivers: ours are left out.
std::vector<Place> places_of_calls(const std::vector<void*>& stack);

// --- the running thread ---

// The return address in a driver of the call that we are in; null when no driver called us, or none that is known.
void* calling_address() noexcept;

// Called into a driver from a frame at or below `limit`; returns the limit before. For DriverScope.
const void* set_walk_limit(const void* limit) noexcept;

}  // namespace wfp::ledger
