// Recycler: a bounded set of objects of one kind that are used again instead of freed. Base of all pools here.
//
// The first thread that allocates is the owner: it works on a private list without atomics. Objects that other
// threads give back go to a lock-free stack that the owner takes over whole when its list is empty. Other threads may
// allocate too, at the price of a lock. An object is made when no used one is there, up to `limit` objects in all. What
// lies unused on the owner's list is out of the others' reach and counts against the limit all the same: a pool that
// several threads share wants room for that.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace wfp::ndis {

// Small number of the running thread, never used again by another one.
std::uint64_t thread_number() noexcept;

struct Recycled {
  Recycled* next_free = nullptr;
};

class Recycler {
 public:
  using Make = Recycled* (*)(void* context) noexcept;  // null when out of memory
  using Destroy = void (*)(Recycled* object) noexcept;

  Recycler(std::size_t limit, Make make, Destroy destroy, void* context) noexcept
      : limit_(limit), make_(make), destroy_(destroy), context_(context) {}
  ~Recycler();  // every object must be back
  Recycler(const Recycler&) = delete;
  Recycler& operator=(const Recycler&) = delete;

  Recycled* allocate() noexcept;  // null: `limit` objects exist and none is within reach, or no memory
  void give_back(Recycled* object) noexcept;
  std::size_t made() const noexcept { return made_.load(std::memory_order_relaxed); }

 private:
  bool is_owner() noexcept;
  Recycled* allocate_as_other() noexcept;
  Recycled* make_one() noexcept;

  const std::size_t limit_;
  const Make make_;
  const Destroy destroy_;
  void* const context_;
  std::atomic<std::uint64_t> owner_{0};  // thread number; set once
  std::atomic<std::size_t> made_{0};
  Recycled* private_list_ = nullptr;  // the owner's
  std::mutex others_mutex_;
  Recycled* others_list_ = nullptr;  // under the mutex
  alignas(64) std::atomic<Recycled*> returned_{nullptr};
};

}  // namespace wfp::ndis
