// wfp::Host over the stack: what the engine and its callouts ask of any network stack, done by this one.
//
// It comes first in a node, before the engine, whose constructor wants it. The parties given to it outlive it.
#pragma once

#include <functional>

#include "src/shim/describe.hpp"
#include "stack/base/executor.hpp"
#include "stack/hooks/authorizer.hpp"
#include "stack/hooks/injector.hpp"
#include "wfp/host/host.hpp"

namespace shim {

// What of a stack the hooks do not cover. Implemented by whoever owns the stack; called on its thread, except [any].
class StackControl {
 public:
  virtual ~StackControl() = default;
  virtual void resume(stack::Ticket ticket) = 0;           // the parked operation goes on; unknown: ignored
  virtual void abort_flow(stack::FlowTag flow) = 0;        // the conversation ends; unknown: ignored
  virtual stack::EndpointId control_endpoint() const = 0;  // may send any tuple
  virtual std::uint8_t protocol_of(stack::EndpointId endpoint) const = 0;  // 0: no such endpoint
  virtual bool has_interface(stack::InterfaceIndex index) const = 0;
  virtual void wake() = 0;                  // [any] run the engine's queues soon
  virtual std::int64_t now_ns() const = 0;  // [any]
};

class StackHost final : public wfp::Host {
 public:
  StackHost(stack::Injector& injector, StackControl& control, stack::Executor& executor)
      : injector_(injector), control_(control), executor_(executor) {}

  // Runs on the stack's thread when the set of armed layers has changed. Set before there is anybody to change it.
  void set_layers_handler(std::function<void()> handler) { layers_handler_ = std::move(handler); }
  // Runs after each resume(), with its ticket.
  void set_resumed_handler(std::function<void(stack::Ticket)> handler) { resumed_handler_ = std::move(handler); }

  void inject(const wfp::InjectRequest& request) override;
  void drop_looping(const wfp::InjectRequest& request) override;
  std::string describe(const wfp::InjectRequest& request) const override { return describe_injection(request); }
  void resume(std::uint64_t ticket) override;
  void abort_flow(std::uint64_t flow) override { control_.abort_flow(flow); }
  void layers_changed() override;
  void wake() override { control_.wake(); }
  bool on_processor_thread() const override { return executor_.is_own_thread(); }
  std::int64_t now_ns() const override { return control_.now_ns(); }

  StackControl& control() { return control_; }

 private:
  void send_transport(stack::Packet packet, const wfp::InjectRequest& request);

  stack::Injector& injector_;
  StackControl& control_;
  stack::Executor& executor_;
  std::function<void()> layers_handler_;
  std::function<void(stack::Ticket)> resumed_handler_;
};

}  // namespace shim
