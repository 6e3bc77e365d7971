// The seam with a real engine on one side and hooks called by hand on the other: callouts that record what they are
// shown and answer as told. A violation that a test does not take is a failure.
#pragma once

#include "src/shim/shim.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <set>

#include "contexts.hpp"
#include "fwpm/conditions.h"
#include "fwpsk.h"
#include "src/shim/discard_reason.hpp"
#include "stack/packet/packet_pool.hpp"
#include "wfp/kernel/kernel.hpp"
#include "wfp/kernel/sim_scheduler.hpp"
#include "wfp/ledger/violation.hpp"
#include "wfp/model/layer.hpp"
#include "wfp/ndis/clone.hpp"

namespace shim {

using stack::Decision;
using stack::Direction;
using stack::Family;
using stack::Hook;
using test::context;
using testing::ElementsAre;

// What a callout was shown, copied, and what it answers.
struct Shown {
  std::uint16_t layer = 0;
  FWPS_INCOMING_METADATA_VALUES0 metadata{};
  NET_BUFFER_LIST* packet = nullptr;
  std::uint32_t data_length = 0;
  std::uint32_t flags = 0;  // FWP_CONDITION_FLAG_*
};
struct Answer {
  FWP_ACTION_TYPE action = FWP_ACTION_PERMIT;
  bool absorb = false;
  bool pend = false;
};
inline std::vector<Shown> shown;
inline std::map<std::uint16_t, Answer> answers;
inline HANDLE pended = nullptr;
inline NTSTATUS pend_status = STATUS_SUCCESS;  // what pending is expected to return

inline void NTAPI classify(const FWPS_INCOMING_VALUES0* values, const FWPS_INCOMING_METADATA_VALUES0* metadata,
                           void* data, const void*, const FWPS_FILTER1*, UINT64, FWPS_CLASSIFY_OUT0* out) {
  auto* packet = static_cast<NET_BUFFER_LIST*>(data);
  Shown s{values->layerId, *metadata, packet, 0, 0};
  if (packet != nullptr) s.data_length = NET_BUFFER_DATA_LENGTH(NET_BUFFER_LIST_FIRST_NB(packet));
  const auto field = wfp::model::find_field(*wfp::model::find_layer(values->layerId)->fields, FWPM_CONDITION_FLAGS);
  if (field < values->valueCount) s.flags = values->incomingValue[field].value.uint32;
  shown.push_back(s);
  const Answer answer = answers[values->layerId];
  if (answer.pend) {
    EXPECT_EQ(wfp::ale::Pends::current()->pend(metadata->completionHandle, &pended), pend_status);
  }
  out->actionType = answer.action;
  if (answer.absorb) out->flags |= FWPS_CLASSIFY_OUT_FLAG_ABSORB;
  if (answer.action == FWP_ACTION_BLOCK) out->rights &= ~static_cast<UINT32>(FWPS_RIGHT_ACTION_WRITE);
}
inline NTSTATUS NTAPI notify(FWPS_CALLOUT_NOTIFY_TYPE, const GUID*, FWPS_FILTER1*) { return STATUS_SUCCESS; }

class NoInjector final : public stack::Injector {
 public:
  void receive(stack::Packet, stack::InterfaceIndex) override {}
  void send_transport(stack::Packet, stack::EndpointId, const stack::IpAddress&, std::uint8_t) override {}
  void send_network(stack::Packet) override {}
};
class Control final : public StackControl {
 public:
  void resume(stack::Ticket ticket) override {
    resumed.push_back(ticket);
    if (on_resume) on_resume(ticket);
  }
  void abort_flow(stack::FlowTag) override {}
  stack::EndpointId control_endpoint() const override { return stack::EndpointId::make(0, 1, 1); }
  std::uint8_t protocol_of(stack::EndpointId) const override { return 0; }
  bool has_interface(stack::InterfaceIndex) const override { return true; }
  void wake() override {}
  std::int64_t now_ns() const override { return 99; }
  std::vector<stack::Ticket> resumed;
  std::function<void(stack::Ticket)> on_resume;
};
class InlineExecutor final : public stack::Executor {
 public:
  void post(std::function<void()> task) override { task(); }
  bool is_own_thread() const override { return true; }
};
class Recorder final : public TraceSink {
 public:
  void classified(const TraceRecord& record) override { lines.push_back(line(record)); }
  static std::string line(const TraceRecord& r) {
    return std::string(r.layer_name) + " " + std::string(r.origin) + " " + std::string(r.action) +
           (r.absorb ? " absorb" : "") + (r.pended ? " pended" : "") + " " + std::string(r.injection_state);
  }
  std::vector<std::string> lines;
};

class ShimTest : public testing::Test {
 protected:
  void SetUp() override {
    wfp::ledger::reset();
    wfp::ledger::set_level(wfp::ledger::Level::standard);
    shown.clear();
    answers.clear();
    pend_status = STATUS_SUCCESS;
    auto scheduler = std::make_unique<wfp::kernel::SimScheduler>(clock_, 1, 1);
    scheduler->bind_processor(0);
    kernel_ = std::make_unique<wfp::kernel::Kernel>(std::move(scheduler));
    engine_ = std::make_unique<wfp::engine::Engine>(host_, kernel_->scheduler());
    flows_ = std::make_unique<wfp::flow::Flows>(engine_->callouts(), host_);
    engine_->set_flows(flows_.get());
    pends_ = std::make_unique<wfp::ale::Pends>(host_, kernel_->scheduler());
  }
  void start(ShimConfig config = {}) {
    shim_ = std::make_unique<Shim>(Platform{*engine_, *flows_, *pends_}, hooks_, host_, config);
    shim_->add_interface(2, kIfTypeEthernet);
  }
  void TearDown() override {
    remove_filters();
    unregister();
    shim_.reset();
    EXPECT_EQ(flows_->counts().alive, 0u);
    EXPECT_EQ(pends_->counts().open, 0u);
    pends_.reset();
    flows_.reset();
    engine_.reset();
    for (const auto& violation : wfp::ledger::violations())
      ADD_FAILURE() << violation.rule << ": " << violation.message;
    wfp::ledger::clear_violations();
    kernel_.reset();
    EXPECT_EQ(pool_.in_use(), 0u);
  }

  // A callout and its filter at a layer.
  void filter_at(std::uint16_t layer, UINT32 flags = FWP_CALLOUT_FLAG_ALLOW_RSC | FWP_CALLOUT_FLAG_ALLOW_URO) {
    auto& management = engine_->management();
    if (session_ == 0) {
      ASSERT_EQ(management.open({.name = u"test", .is_dynamic = true}, session_), STATUS_SUCCESS);
    }
    wfp::engine::Registration registration;
    registration.key = {0x7e57, layer, 0, {}};
    registration.version = 1;
    registration.flags = flags;
    registration.classify = reinterpret_cast<void (*)()>(&classify);
    registration.notify = reinterpret_cast<void (*)()>(&notify);
    UINT32 id = 0;
    ASSERT_EQ(engine_->callouts().add(registration, &id), STATUS_SUCCESS);
    engine_->callouts_changed();
    callouts_.push_back(id);
    wfp::model::CalloutObject object;
    object.key = registration.key;
    object.name = u"test";
    object.layer = layer;
    ASSERT_EQ(management.add(session_, object, nullptr), STATUS_SUCCESS);
    wfp::model::Filter filter;
    filter.name = u"test";
    filter.layer = layer;
    filter.action = FWP_ACTION_CALLOUT_TERMINATING;
    filter.callout = registration.key;
    std::uint64_t filter_id = 0;
    ASSERT_EQ(management.add(session_, filter, &filter_id), STATUS_SUCCESS);
  }
  void remove_filters() {
    if (session_ != 0) engine_->management().close(std::exchange(session_, 0));
  }
  void unregister() {
    for (const UINT32 id : std::exchange(callouts_, {})) EXPECT_EQ(engine_->callouts().remove(id), STATUS_SUCCESS);
    engine_->callouts_changed();
  }
  stack::Packet packet(std::size_t size = 30) { return pool_.allocate(size); }
  std::optional<stack::Packet> inspect(const stack::PacketContext& c) { return hooks_.inspect(packet(), c); }
  std::vector<std::uint16_t> layers() const {
    std::vector<std::uint16_t> out;
    for (const auto& s : shown) out.push_back(s.layer);
    return out;
  }

  NoInjector injector_;
  Control control_;
  InlineExecutor executor_;
  StackHost host_{injector_, control_, executor_};
  stack::Stats stats_;
  stack::Hooks hooks_{stats_};
  stack::PacketPool pool_{64};
  wfp::kernel::VirtualClock clock_;
  std::unique_ptr<wfp::kernel::Kernel> kernel_;
  std::unique_ptr<wfp::engine::Engine> engine_;
  std::unique_ptr<wfp::flow::Flows> flows_;
  std::unique_ptr<wfp::ale::Pends> pends_;
  std::unique_ptr<Shim> shim_;
  wfp::engine::SessionId session_ = 0;
  std::vector<UINT32> callouts_;
};

}  // namespace shim
