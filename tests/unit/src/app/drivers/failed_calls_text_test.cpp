#include "src/app/drivers/failed_calls_text.hpp"

#include <gtest/gtest.h>

#include "nt/ntstatus.h"

namespace app {
namespace {

TEST(FailedCalls, TheCallThatReturnedTheStatusComesFirst) {
  EXPECT_EQ(failed_calls_text({}, STATUS_UNSUCCESSFUL), "");
  const std::vector<wfp::ledger::FailedCall> calls{
      {"FwpmFilterAdd0", static_cast<NTSTATUS>(STATUS_FWP_LAYER_NOT_FOUND), "filter 'x': layerKey {0} is no layer"},
      {"FwpmTransactionAbort0", static_cast<NTSTATUS>(STATUS_INVALID_HANDLE), ""}};
  EXPECT_EQ(failed_calls_text(calls, static_cast<NTSTATUS>(STATUS_FWP_LAYER_NOT_FOUND)),
            ", which FwpmFilterAdd0 had returned (filter 'x': layerKey {0} is no layer); also failed: "
            "FwpmTransactionAbort0 with 0xc0000008 (STATUS_INVALID_HANDLE)");
  EXPECT_EQ(failed_calls_text({calls[1]}, static_cast<NTSTATUS>(STATUS_UNSUCCESSFUL)),
            "; calls of it that failed: FwpmTransactionAbort0 with 0xc0000008 (STATUS_INVALID_HANDLE)");
}

}  // namespace
}  // namespace app
