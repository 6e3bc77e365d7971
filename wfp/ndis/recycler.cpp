#include "wfp/ndis/recycler.hpp"

namespace wfp::ndis {
namespace {

std::atomic<std::uint64_t> last_thread_number{0};
thread_local std::uint64_t this_thread_number = 0;

Recycled* pop(Recycled*& list) noexcept {
  Recycled* const object = list;
  if (object != nullptr) list = object->next_free;
  return object;
}

}  // namespace

std::uint64_t thread_number() noexcept {
  if (this_thread_number == 0) this_thread_number = last_thread_number.fetch_add(1, std::memory_order_relaxed) + 1;
  return this_thread_number;
}

Recycler::~Recycler() {
  for (Recycled* list : {private_list_, others_list_, returned_.load(std::memory_order_acquire)})
    while (Recycled* const object = pop(list)) destroy_(object);
}

// Once set the owner never changes, so a stale answer here can only say "nobody yet", which is treated as "another".
bool Recycler::is_owner() noexcept { return owner_.load(std::memory_order_relaxed) == thread_number(); }

Recycled* Recycler::allocate() noexcept {
  if (!is_owner()) {
    std::uint64_t nobody = 0;
    if (!owner_.compare_exchange_strong(nobody, thread_number(), std::memory_order_relaxed))
      return allocate_as_other();
  }
  if (Recycled* const object = pop(private_list_)) return object;
  private_list_ = returned_.exchange(nullptr, std::memory_order_acquire);
  if (Recycled* const object = pop(private_list_)) return object;
  if (Recycled* const object = make_one()) return object;
  return allocate_as_other();  // at the limit: they may have taken over what came back
}

Recycled* Recycler::allocate_as_other() noexcept {
  const std::lock_guard lock(others_mutex_);
  if (Recycled* const object = pop(others_list_)) return object;
  others_list_ = returned_.exchange(nullptr, std::memory_order_acquire);
  if (Recycled* const object = pop(others_list_)) return object;
  return make_one();
}

Recycled* Recycler::make_one() noexcept {
  if (made_.fetch_add(1, std::memory_order_relaxed) < limit_)
    if (Recycled* const object = make_(context_)) return object;
  made_.fetch_sub(1, std::memory_order_relaxed);
  return nullptr;
}

void Recycler::give_back(Recycled* object) noexcept {
  if (is_owner()) {
    object->next_free = private_list_;
    private_list_ = object;
    return;
  }
  object->next_free = returned_.load(std::memory_order_relaxed);
  while (!returned_.compare_exchange_weak(object->next_free, object, std::memory_order_release,
                                          std::memory_order_relaxed)) {
  }
}

}  // namespace wfp::ndis
