#include "wfp/kernel/kernel_handles.hpp"

#include <utility>

namespace wfp::kernel {
namespace {

// A handle is generation and slot + 1, times four: never null, never odd, as on Windows.
HANDLE encode(std::size_t slot, std::uint32_t generation) {
  return reinterpret_cast<HANDLE>((std::uintptr_t{generation} << 20 | (slot + 1)) << 2);
}

}  // namespace

std::optional<HANDLE> KernelHandles::open(HandleTarget target) {
  const std::lock_guard lock(lock_);
  if (free_.empty()) {
    if (slots_.size() >= kMaxHandles) return std::nullopt;
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::size_t slot = free_.back();
  free_.pop_back();
  slots_[slot].target = std::move(target);
  return encode(slot, slots_[slot].generation);
}

void KernelHandles::set(HANDLE handle, HandleTarget target) {
  const std::lock_guard lock(lock_);
  if (const auto slot = slot_of(handle)) slots_[*slot].target = std::move(target);
}

std::optional<std::size_t> KernelHandles::slot_of(HANDLE handle) const {
  const auto value = reinterpret_cast<std::uintptr_t>(handle);
  const std::size_t slot = (value >> 2 & 0xfffff) - 1;
  if (slot >= slots_.size() || encode(slot, slots_[slot].generation) != handle) return std::nullopt;
  return slot;
}

HandleTarget KernelHandles::find(HANDLE handle) const {
  const std::lock_guard lock(lock_);
  const auto slot = slot_of(handle);
  return slot ? slots_[*slot].target : HandleTarget{};
}

// Under the lock: whoever closes the handle meanwhile may hold the last other reference.
Thread* KernelHandles::retain_thread(HANDLE handle) const {
  const std::lock_guard lock(lock_);
  const auto slot = slot_of(handle);
  Thread* const* thread = slot ? std::get_if<Thread*>(&slots_[*slot].target) : nullptr;
  if (thread == nullptr) return nullptr;
  (*thread)->references.fetch_add(1, std::memory_order_relaxed);
  return *thread;
}

HandleTarget KernelHandles::close(HANDLE handle) {
  const std::lock_guard lock(lock_);
  const auto slot = slot_of(handle);
  if (!slot) return {};
  ++slots_[*slot].generation;
  free_.push_back(static_cast<std::uint32_t>(*slot));
  return std::exchange(slots_[*slot].target, HandleTarget{});
}

std::size_t KernelHandles::open_count() const {
  const std::lock_guard lock(lock_);
  return slots_.size() - free_.size();
}

}  // namespace wfp::kernel
