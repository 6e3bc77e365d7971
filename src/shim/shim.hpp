// The seam between the stack and the filter engine: the only code that sees both. It implements what the stack lets
// others decide (stack/hooks) with what the engine answers (wfp/engine), and does the dropping, which is what WFP
// calls a shim.
//
// Made after the engine, taken out of Hooks before it is destroyed. Everything runs on the processor's thread. It
// owns no packet beyond a call. Which packet shows which metadata: metadata.hpp; which fields: values.cpp.
#pragma once

#include <functional>

#include "src/shim/ale_shim.hpp"
#include "src/shim/classifier.hpp"
#include "src/shim/coalescing.hpp"
#include "src/shim/stack_host.hpp"

namespace shim {

struct ShimConfig {
  // --endpoint-metadata corrected: outbound packets without an endpoint show the control endpoint's handle instead of
  // zero.
  bool corrected_endpoint_metadata = false;
};

// The parts of the callout side. All outlive the shim.
struct Platform {
  wfp::engine::Engine& engine;
  wfp::flow::Flows& flows;
  wfp::ale::Pends& pends;
};

class Shim final : public stack::Inspector, public stack::Authorizer, public stack::DiscardObserver {
 public:
  Shim(Platform platform, stack::Hooks& hooks, StackHost& host, ShimConfig config);
  ~Shim() override;
  Shim(const Shim&) = delete;
  Shim& operator=(const Shim&) = delete;

  void add_interface(std::uint32_t index, std::uint32_t type) { classifier_.interfaces().add(index, type); }
  // A sink arms every layer; null ends it. It outlives the shim or is taken out first.
  void set_trace(TraceSink* sink);
  // Told what filters and callouts block, but for what a callout absorbs. Arms nothing; lives as a trace sink does.
  void set_block_sink(TraceSink* sink) { classifier_.set_block_sink(sink); }
  // Called at once and whenever callouts begin or cease to refuse coalesced receive, so that the device can follow.
  void set_coalescing_handler(std::function<void(CoalescingAllowed)> handler);
  // The engine's set of layers has changed. The host's layers handler calls it.
  void rearm();

  // --- stack::Inspector ---
  std::optional<stack::Packet> inspect(stack::Packet packet, const stack::PacketContext& context) override;
  // --- stack::Authorizer ---
  stack::Authorization bind(const stack::Operation& operation) override { return ale_.bind(operation); }
  stack::Authorization listen(const stack::Operation& operation) override { return ale_.listen(operation); }
  stack::Authorization connect(const stack::Operation& operation, stack::Packet* packet) override {
    return ale_.connect(operation, packet);
  }
  stack::Authorization accept(const stack::Operation& operation, stack::Packet& packet) override {
    return ale_.accept(operation, packet);
  }
  bool established(const stack::Operation& operation, stack::Packet* packet) override {
    return ale_.established(operation, packet);
  }
  void flow_ended(stack::FlowTag flow) override { ale_.flow_ended(flow); }
  void endpoint_closed(stack::EndpointId) override {}  // ALE_ENDPOINT_CLOSURE is not built yet
  // --- stack::DiscardObserver ---
  bool discarded(const stack::Packet& packet, stack::Drop reason, const stack::PacketContext& context) override;
  void discarded_early(const stack::Packet& packet, stack::Drop reason) override;

 private:
  stack::EndpointId shown_endpoint() const;
  void follow_offload_consent();

  stack::Hooks& hooks_;
  StackHost& host_;
  const ShimConfig config_;
  Classifier classifier_;
  AleShim ale_;
  std::function<void(CoalescingAllowed)> coalescing_handler_;
  CoalescingAllowed coalescing_allowed_;
};

}  // namespace shim
