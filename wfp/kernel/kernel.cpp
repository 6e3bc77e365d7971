#include "wfp/kernel/kernel.hpp"

#include <atomic>

#include "wfp/kernel/bugcheck.hpp"

namespace wfp::kernel {
namespace {
std::atomic<Kernel*> the_kernel{nullptr};
}

Kernel::Kernel(std::unique_ptr<Scheduler> scheduler) : scheduler_(std::move(scheduler)) {
  Kernel* none = nullptr;
  KERNEL_CHECK(the_kernel.compare_exchange_strong(none, this));
}

Kernel::~Kernel() {
  scheduler_.reset();  // its workers may still call in while they end
  the_kernel.store(nullptr);
}

Kernel& Kernel::current() {
  Kernel* kernel = the_kernel.load(std::memory_order_acquire);
  KERNEL_CHECK(kernel != nullptr);
  return *kernel;
}

bool Kernel::exists() { return the_kernel.load(std::memory_order_acquire) != nullptr; }

}  // namespace wfp::kernel
