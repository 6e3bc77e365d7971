#include "wfp/kernel/kernel.hpp"

#include <atomic>

#include "wfp/kernel/bugcheck.hpp"
#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/ledger/require.hpp"

namespace wfp::kernel {
namespace {

std::atomic<Kernel*> the_kernel{nullptr};

// What Windows would have stopped with: the read of address 0 at this level.
void end_by_null_argument(const char* function, const char* argument) {
  constexpr std::uint32_t kIrqlNotLessOrEqual = 0xd1, kPageFault = 0x50;
  const KIRQL level = current_irql();
  BugCheck bug;
  bug.code = level >= DISPATCH_LEVEL ? kIrqlNotLessOrEqual : kPageFault;
  if (level >= DISPATCH_LEVEL) bug.parameters[1] = level;
  bug.message = text("%s was called with %s NULL, which it may not be", function, argument);
  bugcheck(bug);
}

}  // namespace

Kernel::Kernel(std::unique_ptr<Scheduler> scheduler) : scheduler_(std::move(scheduler)) {
  Kernel* none = nullptr;
  KERNEL_CHECK(the_kernel.compare_exchange_strong(none, this));
  ledger::set_null_argument_end(end_by_null_argument);
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
