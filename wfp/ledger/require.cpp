#include "wfp/ledger/require.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace wfp::ledger {
namespace {

std::atomic<void (*)(const char*, const char*)> end_by{nullptr};

}  // namespace

void null_argument(const char* function, const char* argument) {
  if (auto* const end = end_by.load(std::memory_order_acquire)) end(function, argument);
  std::fprintf(stderr, "%s: %s is NULL\n", function, argument);
  std::abort();
}

void set_null_argument_end(void (*end)(const char*, const char*)) { end_by.store(end, std::memory_order_release); }

}  // namespace wfp::ledger
