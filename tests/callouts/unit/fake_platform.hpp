// The callout API as one driver sees it, reduced to what can be decided by hand: each injection waits until the test
// completes it, and any call can be made to fail. Kernel routines and NET_BUFFER_LISTs are the real ones.
//
// For tests of a driver's own paths, above all those that a healthy engine never shows. One driver at a time.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "fwpmk.h"
#include "fwpsk.h"
#include "nt/ntstatus.h"
#include "wfp/ndis/nbl_pool.hpp"

namespace fake {

struct Injection {
  std::string how;  // transport, network, receive
  std::uint64_t endpoint = 0;
  std::string remote;  // hexadecimal, network order, 4 or 16 bytes; transport only
  IF_INDEX interface_index = 0;
  NET_BUFFER_LIST* clone = nullptr;
  FWPS_INJECT_COMPLETE0 completion = nullptr;
  void* context = nullptr;
};

struct Callout {
  FWPS_CALLOUT1 callout{};
  UINT32 id = 0;
};

struct Pend {
  std::uintptr_t context = 0;
  bool completed = false;
  NET_BUFFER_LIST* clone = nullptr;
};

struct FlowKey {
  std::uint64_t flow = 0;
  std::uint16_t layer = 0;
  std::uint32_t callout = 0;
  auto operator<=>(const FlowKey&) const = default;
};

struct Platform {
  std::vector<Callout> callouts;
  std::map<UINT16, UINT32> by_layer;  // run-time layer id to callout id
  std::size_t filters = 0;
  std::size_t handles = 0;
  bool in_transaction = false;

  std::deque<Injection> injections;  // accepted, not completed
  std::vector<std::string> events;   // in order: inject, complete operation, construct
  std::vector<Pend> pends;
  bool complete_inline = false;  // injections complete within the call
  NTSTATUS completion_status = STATUS_SUCCESS;
  FWPS_PACKET_INJECTION_STATE state = FWPS_PACKET_NOT_INJECTED;

  int fail_clones = 0;  // so many calls fail
  int fail_injections = 0;
  NTSTATUS failure = STATUS_INSUFFICIENT_RESOURCES;
  int busy_unregisters = 0;
  NTSTATUS fail_filter = STATUS_SUCCESS;

  std::map<FlowKey, std::uint64_t> contexts;
  std::vector<FlowKey> pending_removals;  // FwpsFlowRemoveContext0 said STATUS_PENDING
  bool removals_pend = false;
  NTSTATUS fail_associate = STATUS_SUCCESS;

  std::size_t constructed = 0;
  std::size_t references = 0;  // of originals, by the driver
  std::size_t clones = 0;      // not freed
};

Platform& platform();
void reset();

struct Answer {
  FWPS_CLASSIFY_OUT0 out{};
  bool absorbed() const {
    return out.actionType == FWP_ACTION_BLOCK && (out.flags & FWPS_CLASSIFY_OUT_FLAG_ABSORB) != 0 &&
           (out.rights & FWPS_RIGHT_ACTION_WRITE) == 0;
  }
  bool permitted() const { return out.actionType == FWP_ACTION_PERMIT; }
};

// Calls the driver's classify function of that layer.
Answer classify(UINT16 layer, FWPS_INCOMING_VALUE0* values, UINT32 count,
                const FWPS_INCOMING_METADATA_VALUES0& metadata, NET_BUFFER_LIST* packet,
                UINT32 rights = FWPS_RIGHT_ACTION_WRITE);

// The flow ends, or its pending removals come through: flowDeleteFn for each context.
void end_flow(std::uint64_t flow);
void finish_removals();

// Completes the oldest injection.
void complete(NTSTATUS status = STATUS_SUCCESS);

}  // namespace fake
