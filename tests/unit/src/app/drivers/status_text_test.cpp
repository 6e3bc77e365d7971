#include "src/app/drivers/status_text.hpp"

#include <gtest/gtest.h>

namespace app {
namespace {

TEST(StatusText, HasTheNameWhereTheHeadersHaveOne) {
  EXPECT_EQ(status_text(STATUS_INSUFFICIENT_RESOURCES), "0xc000009a (STATUS_INSUFFICIENT_RESOURCES)");
  EXPECT_EQ(status_text(STATUS_FWP_CALLOUT_NOT_FOUND), "0xc0220001 (STATUS_FWP_CALLOUT_NOT_FOUND)");
  EXPECT_EQ(status_text(static_cast<NTSTATUS>(0xc0abcdef)), "0xc0abcdef");
}

}  // namespace
}  // namespace app
