// src/drivers/passthrough with the engine's answers given by hand: the tests decide when a clone cannot be made, an
// injection fails or completes with an error. At the end nothing may be left and no rule broken.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>

#include "fake_platform.hpp"
#include "ntddk.h"
#include "wfp/kernel/driver_object.hpp"
#include "wfp/kernel/kernel.hpp"
#include "wfp/kernel/sim_scheduler.hpp"
#include "wfp/ledger/violation.hpp"

extern "C" DRIVER_INITIALIZE DriverEntry;

namespace fake {

inline constexpr std::uint32_t kHeaders = 40;  // IP and TCP

class Passthrough : public testing::Test {
 protected:
  void SetUp() override {
    wfp::ledger::reset();
    wfp::ledger::set_level(wfp::ledger::Level::standard);
    reset();
    auto scheduler = std::make_unique<wfp::kernel::SimScheduler>(clock_, 1, 1);
    sim_ = scheduler.get();
    kernel_ = std::make_unique<wfp::kernel::Kernel>(std::move(scheduler));
    sim_->bind_processor(0);
    kernel_->set_debug_sink([this](auto, unsigned, const std::string& line) { printed_ += line; });
  }
  void set(const char* name, const char* value) { kernel_->registry().set("passthrough", name, value); }
  NTSTATUS load() {
    driver_ = std::make_unique<wfp::kernel::Driver>("passthrough");
    return driver_->load(DriverEntry);
  }
  void unload() {
    const auto result = driver_->unload();
    EXPECT_TRUE(result.unloaded);
    EXPECT_THAT(result.left, testing::IsEmpty());
  }
  void TearDown() override {
    if (driver_ && driver_->is_loaded()) unload();
    driver_.reset();
    EXPECT_EQ(platform().references, 0u);
    EXPECT_EQ(platform().clones, 0u);
    EXPECT_EQ(platform().handles, 0u);
    EXPECT_EQ(platform().filters, 0u);
    EXPECT_TRUE(platform().callouts.empty());
    EXPECT_EQ(pool_.in_use(), 0u);
    for (const auto& violation : wfp::ledger::violations())
      ADD_FAILURE() << violation.rule << ": " << violation.message;
    wfp::ledger::clear_violations();
    kernel_.reset();
  }

  // A classify with the values that the driver reads; the caller's packet is given up when it is not permitted.
  Answer classify(UINT16 layer, std::uint64_t endpoint, std::uint32_t more_metadata = 0, UINT32 flags = 0,
                  UINT32 rights = FWPS_RIGHT_ACTION_WRITE) {
    std::array<FWPS_INCOMING_VALUE0, 48> values{};
    const auto set32 = [&](int field, UINT32 value) {
      values[static_cast<std::size_t>(field)].value.type = FWP_UINT32;
      values[static_cast<std::size_t>(field)].value.uint32 = value;
    };
    const bool outbound = layer == FWPS_LAYER_OUTBOUND_TRANSPORT_V4;
    if (layer == FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4) {
      set32(FWPS_FIELD_ALE_AUTH_RECV_ACCEPT_V4_IP_LOCAL_ADDRESS, 0x0a4d0002);
      set32(FWPS_FIELD_ALE_AUTH_RECV_ACCEPT_V4_IP_REMOTE_ADDRESS, 0x0a4d0001);
      set32(FWPS_FIELD_ALE_AUTH_RECV_ACCEPT_V4_FLAGS, flags);
      set32(FWPS_FIELD_ALE_AUTH_RECV_ACCEPT_V4_INTERFACE_INDEX, 2);
    } else if (outbound) {
      set32(FWPS_FIELD_OUTBOUND_TRANSPORT_V4_IP_LOCAL_ADDRESS, 0x0a4d0002);
      set32(FWPS_FIELD_OUTBOUND_TRANSPORT_V4_IP_REMOTE_ADDRESS, 0x0a4d0001);
    } else if (layer == FWPS_LAYER_INBOUND_TRANSPORT_V4) {
      set32(FWPS_FIELD_INBOUND_TRANSPORT_V4_IP_LOCAL_ADDRESS, 0x0a4d0002);
      set32(FWPS_FIELD_INBOUND_TRANSPORT_V4_IP_REMOTE_ADDRESS, 0x0a4d0001);
      set32(FWPS_FIELD_INBOUND_TRANSPORT_V4_FLAGS, flags);
      set32(FWPS_FIELD_INBOUND_TRANSPORT_V4_INTERFACE_INDEX, 2);
    }
    FWPS_INCOMING_METADATA_VALUES0 metadata{};
    metadata.currentMetadataValues = (outbound ? 0x8cc0u : 0xc84u) | more_metadata;
    metadata.ipHeaderSize = outbound ? 0 : 20;
    metadata.transportHeaderSize = 20;
    metadata.compartmentId = 1;
    metadata.transportEndpointHandle = endpoint;
    if ((more_metadata & FWPS_METADATA_FIELD_COMPLETION_HANDLE) != 0)
      metadata.completionHandle = reinterpret_cast<HANDLE>(std::uintptr_t{0x100} * ++operations_);
    NET_BUFFER_LIST* packet = make_packet(outbound ? 0 : kHeaders);
    const auto answer =
        fake::classify(layer, values.data(), static_cast<UINT32>(values.size()), metadata, packet, rights);
    wfp::ndis::release(*packet);  // the stack's own reference
    return answer;
  }
  Answer send(std::uint64_t endpoint) { return classify(FWPS_LAYER_OUTBOUND_TRANSPORT_V4, endpoint); }
  Answer receive(std::uint32_t more_metadata = 0, UINT32 flags = 0) {
    return classify(FWPS_LAYER_INBOUND_TRANSPORT_V4, 0, more_metadata, flags);
  }

  // `pulled` bytes of headers in front of ten bytes of payload. The IP header is right for its length.
  NET_BUFFER_LIST* make_packet(std::uint32_t pulled) {
    NET_BUFFER_LIST* nbl = pool_.allocate(64, pulled + 10);
    NET_BUFFER* nb = NET_BUFFER_LIST_FIRST_NB(nbl);
    auto* bytes = static_cast<UCHAR*>(NdisGetDataBuffer(nb, pulled + 10, nullptr, 1, 0));
    std::fill_n(bytes, pulled + 10, UCHAR{0});
    bytes[0] = 0x45;
    bytes[3] = static_cast<UCHAR>(fragmented_ ? 99 : pulled + 10);
    if (pulled != 0) NdisAdvanceNetBufferDataStart(nb, pulled, FALSE, nullptr);
    return nbl;
  }
  std::vector<std::uint64_t> endpoints() const {
    std::vector<std::uint64_t> out;
    for (const auto& injection : platform().injections) out.push_back(injection.endpoint);
    return out;
  }
  void settle() { sim_->settle(); }
  void run_for(std::chrono::milliseconds time) { sim_->run_until(sim_->now() + time); }

  wfp::kernel::VirtualClock clock_;
  wfp::kernel::SimScheduler* sim_ = nullptr;
  std::unique_ptr<wfp::kernel::Kernel> kernel_;
  std::unique_ptr<wfp::kernel::Driver> driver_;
  wfp::ndis::NblPool pool_{512};
  std::string printed_;
  std::uintptr_t operations_ = 0;
  bool fragmented_ = false;
};

}  // namespace fake
