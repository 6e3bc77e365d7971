// GUID constants across languages and source files.
#include <gtest/gtest.h>

#include "fwpmk.h"

DEFINE_GUID(WFPTAP_TEST_GUID, 0x01020304, 0x0506, 0x0708, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10);
extern "C" const GUID* guid_from_a(void);
extern "C" const GUID* guid_from_b(void);
extern "C" const GUID* guid_from_c(void);
extern "C" const GUID* layer_from_c(void);

namespace {

TEST(Guid, OneDefinitionServesAllFilesThatDefineIt) {
  EXPECT_EQ(guid_from_a(), guid_from_b());
  EXPECT_EQ(guid_from_a(), guid_from_c());
  EXPECT_EQ(guid_from_a(), &WFPTAP_TEST_GUID);
  EXPECT_EQ(WFPTAP_TEST_GUID.Data4[7], 0x10);
}

TEST(Guid, BuiltinConstantsAreEqualInCAndInCpp) {
  EXPECT_TRUE(IsEqualGUID(*layer_from_c(), FWPM_LAYER_INBOUND_TRANSPORT_V4));
  EXPECT_FALSE(IsEqualGUID(FWPM_LAYER_INBOUND_TRANSPORT_V4, FWPM_LAYER_INBOUND_TRANSPORT_V6));
  static_assert(FWPM_CONDITION_IP_PROTOCOL.Data1 == 0x3971ef2b);
}

}  // namespace
