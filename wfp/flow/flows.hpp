// Flows: the conversations that callouts can hang data on, and that data. The shim creates a flow when it was
// authorized and ends it when the stack has forgotten it; in between it is a handle (processor, slot, generation),
// never a pointer.
//
// A context belongs to one (flow, layer, callout). Its flowDeleteFn runs exactly once: inside remove(), after the
// last classify that still uses the context, or when the flow ends; at DISPATCH_LEVEL, in its driver's name, with no
// lock held. Threads: everything from any thread at IRQL <= DISPATCH_LEVEL. Ownership: the callout table outlives
// this object. Source: documented FwpsFlowAssociateContext0, FwpsFlowRemoveContext0 and
// FWPS_CALLOUT_FLOW_DELETE_NOTIFY_FN0.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "wfp/engine/callouts.hpp"
#include "wfp/engine/flow_contexts.hpp"
#include "wfp/flow/flow_context.hpp"
#include "wfp/host/handle.hpp"
#include "wfp/host/host.hpp"

namespace wfp::flow {

inline constexpr std::size_t kMaxFlows = 262'144;
inline constexpr std::size_t kMaxContextsPerFlow = 64;
inline constexpr std::size_t kMaxAborts = 1024;

// What is known of a flow when it begins. Addresses in network order, IPv4 in the first four bytes; ports in host
// order.
struct FlowFacts {
  std::uint16_t address_family = 0;  // AF_INET or AF_INET6
  std::uint8_t protocol = 0;
  bool inbound = false;  // who began it
  std::array<std::uint8_t, 16> local{};
  std::array<std::uint8_t, 16> remote{};
  std::uint16_t local_port = 0;
  std::uint16_t remote_port = 0;
  std::uint64_t endpoint = 0;
  std::uint64_t process_id = 0;
};

struct FlowCounts {
  std::uint64_t created = 0, ended = 0, refused = 0;  // refused: kMaxFlows were alive
  std::uint64_t contexts_associated = 0, contexts_deleted = 0;
  std::size_t alive = 0, contexts = 0;
};

class Flows final : public engine::FlowContexts {
 public:
  Flows(engine::CalloutTable& callouts, Host& host, std::uint32_t processor = 0);
  ~Flows();
  Flows(const Flows&) = delete;
  Flows& operator=(const Flows&) = delete;
  static Flows* current();  // the one that exists, or null; for the extern "C" side

  // --- the shim ---
  HandleValue create(const FlowFacts& facts);  // 0, counted: the table is full
  void end(HandleValue flow);                  // deletes its contexts; unknown: ignored
  bool is_alive(HandleValue flow) const;

  // --- drivers ---
  // STATUS_INVALID_PARAMETER: context 0, no such flow, no such callout, or one without flowDeleteFn.
  // STATUS_OBJECT_NAME_EXISTS: there is one. STATUS_INSUFFICIENT_RESOURCES: kMaxContextsPerFlow.
  NTSTATUS associate(HandleValue flow, std::uint16_t layer, std::uint32_t callout, std::uint64_t context);
  // STATUS_SUCCESS: deleted inside. STATUS_PENDING: a classify uses it, and flowDeleteFn follows it.
  // STATUS_UNSUCCESSFUL: there is none.
  NTSTATUS remove(HandleValue flow, std::uint16_t layer, std::uint32_t callout);

  // The stack is to end the conversation, between packets. STATUS_INVALID_PARAMETER: no such flow.
  // STATUS_INSUFFICIENT_RESOURCES: kMaxAborts wait.
  NTSTATUS abort(HandleValue flow);

  // --- the host's loop, between packets ---
  bool has_work() const { return abort_count_.load(std::memory_order_acquire) != 0; }
  std::size_t run_aborts();  // those asked for at entry, on the processor's thread

  // --- engine::FlowContexts ---
  std::uint64_t enter(std::uint64_t flow, std::uint16_t layer, std::uint32_t callout) override;
  void leave(std::uint64_t flow, std::uint16_t layer, std::uint32_t callout) override;
  std::size_t count_of(std::uint32_t callout) const override;
  void drop(std::uint32_t callout, std::uint64_t registration) override;

  FlowCounts counts() const;
  // (handle, facts) of every living flow, at most `limit`.
  std::vector<std::pair<HandleValue, FlowFacts>> list(std::size_t limit) const;

 private:
  struct Flow {
    FlowFacts facts;
    bool ended = false;  // stays until the last classify has left its contexts
    std::vector<std::unique_ptr<FlowContext>> contexts;
  };
  // Under the lock: takes the context out when no classify uses it, else marks it as to be removed.
  std::unique_ptr<FlowContext> detach(Flow& flow, std::size_t index);
  void erase_if_done(HandleValue handle, const Flow& flow);
  void give_back(std::unique_ptr<FlowContext> context);  // without the lock: calls flowDeleteFn

  engine::CalloutTable& callouts_;
  Host& host_;
  mutable std::mutex lock_;
  HandleTable<Flow> flows_;
  std::map<std::uint32_t, std::size_t> by_callout_;  // contexts whose flowDeleteFn has not begun
  std::atomic<std::size_t> context_count_{0};        // zero spares classifies the lock
  std::vector<HandleValue> aborts_;
  std::atomic<std::size_t> abort_count_{0};
  FlowCounts counts_;
};

}  // namespace wfp::flow
