// One classification: what a shim hands in and what the engine decided. Structures only; Engine::classify does the
// work.
//
// Everything that the input points to belongs to the caller and stays valid for the call; callouts may not keep it.
// Source: documented filter arbitration; the decisions where it is silent are in this folder's README.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "fwpsk.h"

namespace wfp::engine {

// Describes a packet or an operation for messages ("TCP RST 10.77.0.2:4444 > 10.77.0.1:40000"); asked only when
// needed.
class Describer {
 public:
  virtual ~Describer() = default;
  virtual std::string describe() const = 0;
};

// The callouts that one classification asked, in order, with what each left as its action; for the trace. One that is
// still running has the action 0. Bounded; more are counted only.
struct CalloutCalls {
  struct Call {
    std::uint64_t filter_id;
    std::uint32_t callout_id;
    FWP_ACTION_TYPE action;
  };
  static constexpr std::size_t kKept = 16;

  CalloutCalls() noexcept {}  // `kept` is written before it is read
  void begin(std::uint64_t filter_id, std::uint32_t callout_id) {
    if (count++ < kKept) kept[count - 1] = {filter_id, callout_id, 0};
  }
  void end(FWP_ACTION_TYPE action) {
    if (count <= kKept) kept[count - 1].action = action;
  }
  std::span<const Call> calls() const { return std::span(kept).first(std::min(count, kKept)); }

  std::array<Call, kKept> kept;
  std::size_t count = 0;
};

struct ClassifyInput {
  const FWPS_INCOMING_VALUES0* values = nullptr;
  const FWPS_INCOMING_METADATA_VALUES0* metadata = nullptr;
  void* layer_data = nullptr;         // what classifyFn is given
  NET_BUFFER_LIST* packet = nullptr;  // the same when it is a packet: its data offsets are checked after each callout
  std::uint64_t flow = 0;             // callouts' contexts are found under it; 0: no flow, conditional callouts sleep
  std::uint8_t protocol = 0;          // of the packet or operation
  const Describer* describer = nullptr;
  CalloutCalls* calls = nullptr;  // filled in when somebody wants to know
};

enum class Verdict : std::uint8_t { Permit, Block };

struct ClassifyResult {
  Verdict verdict = Verdict::Permit;
  bool absorb = false;   // with Block: gone without a discard; somebody keeps the packet or gave it up silently
  bool matched = false;  // some filter gave a decision; otherwise the default, permit, holds
  bool is_hard = false;  // the right to override was taken away
  bool is_veto = false;  // a callout blocked although it had no right to write
  std::uint64_t filter_id = 0;                        // of the filter that decided; 0 when none did
  std::uint32_t callout_id = 0;                       // of its callout; 0 when the filter itself decided
  FWP_ACTION_TYPE action = FWP_ACTION_NONE_NO_MATCH;  // what the deciding filter or callout said
  std::uint32_t rights = FWPS_RIGHT_ACTION_WRITE;
  std::uint32_t flags = 0;         // FWPS_CLASSIFY_OUT_FLAG_*
  std::uint32_t callouts_run = 0;  // callouts called in this classification
};

// The classify that the calling thread is inside of, for functions that are legal only there; null outside.
struct CurrentClassify {
  const ClassifyInput* input;
  std::uint16_t layer;
  std::uint32_t callout_id;
  std::uint64_t filter_id;
  CurrentClassify* outer;
};
CurrentClassify* current_classify();

// "callout 256 (filter 7) at FWPS_LAYER_INBOUND_TRANSPORT_V4"
std::string callout_text(std::uint32_t callout, std::uint64_t filter, std::uint16_t layer);

}  // namespace wfp::engine
