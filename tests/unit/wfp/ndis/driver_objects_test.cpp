// What drivers allocate through the NDIS functions: pools, lists, buffers and MDLs, and their accounting.
#include "fixture.hpp"
#include "wfp/ledger/rules.hpp"
#include "wfp/ndis/driver_pool.hpp"

namespace wfp::ndis {
namespace {

using testing::ElementsAre;

class DriverObjectsTest : public NdisTest {
 protected:
  NDIS_HANDLE make_pool(ULONG data_size, BOOLEAN allocate_net_buffer = TRUE, USHORT context_size = 0) {
    NET_BUFFER_LIST_POOL_PARAMETERS parameters{};
    parameters.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                         NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1};
    parameters.fAllocateNetBuffer = allocate_net_buffer;
    parameters.DataSize = data_size;
    parameters.ContextSize = context_size;
    return NdisAllocateNetBufferListPool(nullptr, &parameters);
  }
  NDIS_HANDLE make_buffer_pool(ULONG data_size) {
    NET_BUFFER_POOL_PARAMETERS parameters{};
    parameters.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_POOL_PARAMETERS_REVISION_1,
                         NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1};
    parameters.DataSize = data_size;
    return NdisAllocateNetBufferPool(nullptr, &parameters);
  }
  std::size_t count(ledger::Kind kind) { return ledger::alive_count(driver_, kind); }
};

TEST_F(DriverObjectsTest, EachAllocationIsEnteredAndStruckOut) {
  const ledger::DriverScope scope(driver_);
  const NDIS_HANDLE pool = make_pool(0);
  char memory[100] = "payload";
  MDL* const mdl = IoAllocateMdl(memory, sizeof(memory), FALSE, FALSE, nullptr);
  MmBuildMdlForNonPagedPool(mdl);
  EXPECT_EQ(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority), memory);
  EXPECT_EQ(MmGetMdlVirtualAddress(mdl), memory);
  EXPECT_EQ(MmGetMdlByteCount(mdl), 100u);
  NET_BUFFER_LIST* const nbl = NdisAllocateNetBufferAndNetBufferList(pool, 16, 0, mdl, 0, 7);
  ASSERT_NE(nbl, nullptr);
  EXPECT_EQ(nbl->NdisPoolHandle, pool);
  EXPECT_EQ(NET_BUFFER_LIST_CONTEXT_DATA_SIZE(nbl), 16);
  EXPECT_EQ(NET_BUFFER_LIST_CONTEXT_DATA_START(nbl), nbl->Context->ContextData);
  EXPECT_EQ(text_of(*nbl), "payload");
  EXPECT_TRUE(is_shared(*nbl));  // the driver's memory is never ours to write
  EXPECT_EQ(count(ledger::Kind::buffer_pool), 1u);
  EXPECT_EQ(count(ledger::Kind::mdl), 1u);
  EXPECT_EQ(count(ledger::Kind::net_buffer_list), 1u);
  NdisFreeNetBufferList(nbl);
  EXPECT_EQ(mdl->ByteCount, 100u);  // the chain stays the driver's
  IoFreeMdl(mdl);
  NdisFreeNetBufferListPool(pool);
  EXPECT_EQ(ledger::alive(driver_).total(), 0u);
  EXPECT_THAT(ledger::take_rules(), ElementsAre());
}

TEST_F(DriverObjectsTest, DoubleFreesAreNamed) {
  const ledger::DriverScope scope(driver_);
  const NDIS_HANDLE pool = make_pool(0);
  char memory[8];
  MDL* const mdl = NdisAllocateMdl(nullptr, memory, 8);
  NET_BUFFER_LIST* const nbl = NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, mdl, 0, 8);
  NdisFreeNetBufferList(nbl);
  NdisFreeNetBufferList(nbl);
  NdisFreeMdl(mdl);
  NdisFreeMdl(mdl);
  EXPECT_THAT(ledger::take_rules(), ElementsAre("NBL-DOUBLE-FREE", "MDL-DOUBLE-FREE"));
  NdisFreeNetBufferListPool(pool);
}

TEST_F(DriverObjectsTest, MdlOfAnIndicatedPacketIsNotTheDriversToFree) {
  NET_BUFFER_LIST* const nbl = make("data");
  const ledger::DriverScope scope(driver_);
  IoFreeMdl(nbl->FirstNetBuffer->MdlChain);
  EXPECT_THAT(ledger::take_rules(), ElementsAre("MDL-DOUBLE-FREE"));
  EXPECT_EQ(text_of(*nbl), "data");
  release(*nbl);
}

TEST_F(DriverObjectsTest, PoolWithDataSizeBringsMemoryToRetreatInto) {
  const NDIS_HANDLE pool = make_pool(200);
  NET_BUFFER_LIST* const nbl = NdisAllocateNetBufferList(pool, 0, 0);
  ASSERT_NE(nbl, nullptr);
  EXPECT_EQ(nbl->FirstNetBuffer->DataLength, 0u);
  EXPECT_EQ(NdisRetreatNetBufferDataStart(nbl->FirstNetBuffer, 200, 0, nullptr), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(mdl_count(*nbl), 1u);
  NdisFreeNetBufferList(nbl);
  NdisFreeNetBufferListPool(pool);
}

TEST_F(DriverObjectsTest, PoolParametersAreChecked) {
  NET_BUFFER_LIST_POOL_PARAMETERS wrong{};
  EXPECT_EQ(NdisAllocateNetBufferListPool(nullptr, &wrong), nullptr);
  EXPECT_EQ(NdisAllocateNetBufferListPool(nullptr, nullptr), nullptr);
  EXPECT_EQ(make_pool(100, FALSE), nullptr);
  NET_BUFFER_POOL_PARAMETERS buffers{};
  buffers.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_POOL_PARAMETERS_REVISION_1,
                    NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1 - 1};
  EXPECT_EQ(NdisAllocateNetBufferPool(nullptr, &buffers), nullptr);  // shorter than it must be
  EXPECT_EQ(NdisAllocateNetBufferAndNetBufferList(nullptr, 0, 0, nullptr, 0, 0), nullptr);
}

TEST_F(DriverObjectsTest, FreeingAPoolInUseIsReportedAndItsBuffersStayValid) {
  const NDIS_HANDLE pool = make_pool(100);
  NET_BUFFER_LIST* const nbl = NdisAllocateNetBufferList(pool, 0, 0);
  NdisFreeNetBufferListPool(pool);
  EXPECT_THAT(ledger::take_rules(), ElementsAre("NBL-POOL-IN-USE"));
  EXPECT_EQ(nbl->FirstNetBuffer->DataOffset, 100u);
  NdisFreeNetBufferList(nbl);
}

TEST_F(DriverObjectsTest, FreedPoolHandleIsNamedAndGivesNothing) {
  const NDIS_HANDLE pool = make_pool(0);
  NdisFreeNetBufferListPool(pool);
  EXPECT_EQ(NdisAllocateNetBufferList(pool, 0, 0), nullptr);
  NdisFreeNetBufferListPool(pool);
  ASSERT_EQ(ledger::violations().size(), 1u);
  EXPECT_EQ(ledger::violations()[0].count, 2u);
  EXPECT_THAT(ledger::take_rules(), ElementsAre("NBL-POOL-FREED"));
  for (std::size_t i = 0; i < 2 * kFreedPoolsKept; ++i) NdisFreeNetBufferListPool(make_pool(0));
}

TEST_F(DriverObjectsTest, ContextHasAtLeastTheRoomOfItsPool) {
  const NDIS_HANDLE pool = make_pool(0, TRUE, 64);
  NET_BUFFER_LIST* const nbl = NdisAllocateNetBufferList(pool, 16, 0);
  ASSERT_NE(nbl, nullptr);
  EXPECT_EQ(nbl->Context->Size, 64);
  EXPECT_EQ(nbl->Context->Offset, 48);  // the caller's 16 bytes lie at the end; the rest is room to grow into
  NdisFreeNetBufferList(nbl);
  EXPECT_EQ(NdisAllocateNetBufferList(pool, 0xfff0, 0x10), nullptr);  // more than its Size can say
  NdisFreeNetBufferListPool(pool);
}

TEST_F(DriverObjectsTest, FreeInFlightIsRefusedAndStaysTheDrivers) {
  struct Injection final : ReleaseHandler {
    void on_last_release(NET_BUFFER_LIST&) noexcept override {}
  } injection;
  const ledger::DriverScope scope(driver_);
  const NDIS_HANDLE pool = make_pool(0);
  NET_BUFFER_LIST* const nbl = NdisAllocateNetBufferList(pool, 0, 0);
  exchange_release_handler(*nbl, &injection);
  NdisFreeNetBufferList(nbl);
  EXPECT_EQ(count(ledger::Kind::net_buffer_list), 1u);
  exchange_release_handler(*nbl, nullptr);
  NdisFreeNetBufferList(nbl);
  EXPECT_THAT(ledger::take_rules(), ElementsAre("INJ-FREE-IN-FLIGHT"));
  NdisFreeNetBufferListPool(pool);
}

TEST_F(DriverObjectsTest, EveryFunctionNamesACallAboveDispatchLevel) {
  NET_BUFFER_LIST* const nbl = make("data");
  const ledger::DriverScope scope(driver_);
  const NDIS_HANDLE list_pool = make_pool(0), buffer_pool = make_buffer_pool(0);
  const NDIS_HANDLE spare_list_pool = make_pool(0), spare_buffer_pool = make_buffer_pool(0);
  NET_BUFFER_LIST* const list = NdisAllocateNetBufferAndNetBufferList(list_pool, 0, 0, nullptr, 0, 0);
  NET_BUFFER_LIST* const clone = NdisAllocateCloneNetBufferList(nbl, nullptr, nullptr, 0);
  NET_BUFFER* const buffer = NdisAllocateNetBuffer(buffer_pool, nullptr, 0, 0);
  ASSERT_TRUE(list != nullptr && clone != nullptr && buffer != nullptr);
  ULONG copied = 0;
  ledger::running_irql = DISPATCH_LEVEL;
  NdisGetDataBuffer(nbl->FirstNetBuffer, 4, nullptr, 1, 0);
  EXPECT_THAT(ledger::take_rules(), ElementsAre());
  ledger::running_irql = HIGH_LEVEL;
  NdisAllocateNetBufferListPool(nullptr, nullptr);
  NdisFreeNetBufferListPool(spare_list_pool);
  NdisAllocateNetBufferPool(nullptr, nullptr);
  NdisFreeNetBufferPool(spare_buffer_pool);
  NdisAllocateNetBufferList(nullptr, 0, 0);
  NdisAllocateNetBufferAndNetBufferList(nullptr, 0, 0, nullptr, 0, 0);
  NdisFreeNetBufferList(list);
  NdisAllocateNetBuffer(nullptr, nullptr, 0, 0);
  NdisAllocateNetBufferMdlAndData(nullptr);
  NdisFreeNetBuffer(buffer);
  NdisAllocateCloneNetBufferList(nullptr, nullptr, nullptr, 0);
  NdisFreeCloneNetBufferList(clone, 0);
  NdisRetreatNetBufferDataStart(nbl->FirstNetBuffer, 0, 0, nullptr);
  NdisAdvanceNetBufferDataStart(nbl->FirstNetBuffer, 0, FALSE, nullptr);
  NdisRetreatNetBufferListDataStart(nbl, 0, 0, nullptr, nullptr);
  NdisAdvanceNetBufferListDataStart(nbl, 0, FALSE, nullptr);
  NdisGetDataBuffer(nbl->FirstNetBuffer, 0, nullptr, 1, 0);
  NdisCopyFromNetBufferToNetBuffer(nbl->FirstNetBuffer, 0, 0, nbl->FirstNetBuffer, 0, &copied);
  NdisCopySendNetBufferListInfo(nbl, nbl);
  NdisCopyReceiveNetBufferListInfo(nbl, nbl);
  IoFreeMdl(IoAllocateMdl(nullptr, 0, FALSE, FALSE, nullptr));
  MmBuildMdlForNonPagedPool(nbl->FirstNetBuffer->MdlChain);
  NdisFreeMdl(NdisAllocateMdl(nullptr, nullptr, 0));
  NdisFreeGenericObject(NdisAllocateGenericObject(nullptr, 0, 0));
  ledger::running_irql = PASSIVE_LEVEL;
  std::vector<std::string> functions;
  for (const auto& violation : ledger::violations()) {
    EXPECT_EQ(violation.rule, ledger::rule::kIrql);
    functions.push_back(violation.message.substr(0, violation.message.find(' ')));
  }
  EXPECT_THAT(
      functions,
      ElementsAre("NdisAllocateNetBufferListPool", "NdisFreeNetBufferListPool", "NdisAllocateNetBufferPool",
                  "NdisFreeNetBufferPool", "NdisAllocateNetBufferList", "NdisAllocateNetBufferAndNetBufferList",
                  "NdisFreeNetBufferList", "NdisAllocateNetBuffer", "NdisAllocateNetBufferMdlAndData",
                  "NdisFreeNetBuffer", "NdisAllocateCloneNetBufferList", "NdisFreeCloneNetBufferList",
                  "NdisRetreatNetBufferDataStart", "NdisAdvanceNetBufferDataStart",
                  "NdisRetreatNetBufferListDataStart", "NdisAdvanceNetBufferListDataStart", "NdisGetDataBuffer",
                  "NdisCopyFromNetBufferToNetBuffer", "NdisCopySendNetBufferListInfo",
                  "NdisCopyReceiveNetBufferListInfo", "IoAllocateMdl", "IoFreeMdl", "MmBuildMdlForNonPagedPool",
                  "NdisAllocateMdl", "NdisFreeMdl", "NdisAllocateGenericObject", "NdisFreeGenericObject"));
  NdisFreeNetBufferListPool(list_pool);
  NdisFreeNetBufferPool(buffer_pool);
  release(*nbl);
}

TEST_F(DriverObjectsTest, NetBufferPoolServesLoneBuffers) {
  NET_BUFFER_POOL_PARAMETERS parameters{};
  parameters.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_POOL_PARAMETERS_REVISION_1,
                       NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1};
  parameters.DataSize = 64;
  const ledger::DriverScope scope(driver_);
  const NDIS_HANDLE pool = NdisAllocateNetBufferPool(nullptr, &parameters);
  NET_BUFFER* const nb = NdisAllocateNetBufferMdlAndData(pool);
  ASSERT_NE(nb, nullptr);
  EXPECT_EQ(NdisRetreatNetBufferDataStart(nb, 64, 0, nullptr), NDIS_STATUS_SUCCESS);
  EXPECT_NE(contiguous(*nb, 0, 64), nullptr);
  NdisFreeNetBuffer(nb);
  NdisFreeNetBuffer(nb);
  EXPECT_THAT(ledger::take_rules(), ElementsAre("NBL-DOUBLE-FREE"));
  NdisFreeNetBufferPool(pool);
}

TEST_F(DriverObjectsTest, GenericObjectIsAccountedAndFreedOnce) {
  const ledger::DriverScope scope(driver_);
  NDIS_GENERIC_OBJECT* const object = NdisAllocateGenericObject(nullptr, 0x54534554, sizeof(NDIS_GENERIC_OBJECT));
  ASSERT_NE(object, nullptr);
  EXPECT_EQ(object->Header.Type, NDIS_OBJECT_TYPE_DEFAULT);
  EXPECT_EQ(count(ledger::Kind::other), 1u);
  NdisFreeGenericObject(object);
  NdisFreeGenericObject(object);
  EXPECT_THAT(ledger::take_rules(), ElementsAre("NDIS-OBJECT-DOUBLE-FREE"));
}

}  // namespace
}  // namespace wfp::ndis
