#include "wfp/kernel/thread_state.hpp"

#include <atomic>

namespace wfp::kernel {

std::uint32_t current_thread_number() {
  static std::atomic<std::uint32_t> last{0};
  if (thread_state.id == 0) thread_state.id = last.fetch_add(1, std::memory_order_relaxed) + 1;
  return thread_state.id;
}

}  // namespace wfp::kernel
