// One classification at a time: asks the engine, tells the trace, and does what a verdict means for a packet. The
// files of the layer families say what is shown and when; this one says what is done with the answer.
//
// Processor's thread only. A packet goes in by value and comes back when it may go on.
#pragma once

#include <optional>

#include "src/shim/metadata.hpp"
#include "src/shim/trace.hpp"
#include "src/shim/values.hpp"
#include "stack/hooks/hooks.hpp"
#include "wfp/engine/engine.hpp"

namespace shim {

class Classifier {
 public:
  // Both outlive the classifier. `hooks` counts what is blocked and absorbed here.
  Classifier(wfp::engine::Engine& engine, stack::Hooks& hooks) : engine_(engine), hooks_(hooks) {}

  // A question to one layer. What it refers to lives until the answer is there.
  struct Question {
    LayerPair pair;
    const Facts& facts;
    const Values& values;
    const Metadata& metadata;
    NET_BUFFER_LIST* packet = nullptr;
    std::uint64_t flow = 0;  // callouts conditional on flow are called with a context of this one only
    mutable wfp::engine::CalloutCalls calls{};  // while somebody traces
  };

  bool armed(LayerPair pair, stack::Family family) const { return engine_.armed(layer_id(pair, family)); }
  bool discard_armed(LayerPair pair, stack::Family family) const {
    return engine_.armed(discard_layer_id(pair, family));
  }

  wfp::engine::ClassifyResult ask(const Question& question);
  // The record of an answer; its own step, because only the asker knows whether an operation was pended.
  void trace(const Question& question, const wfp::engine::ClassifyResult& result, bool pended);

  // What the calling thread is being asked, as a record of a fault, to whoever traces; nothing otherwise. In a process
  // that ends: it takes memory and locks.
  static void trace_fault();

  // The whole way of a packet at a packet layer.
  std::optional<stack::Packet> judge(LayerPair pair, stack::Packet packet, const Facts& facts,
                                     const Metadata& metadata, std::uint64_t flow);
  // What was blocked: its packet, if there is one, is taken and counted; unless it was absorbed it is also shown at
  // the discard twin.
  void give_up(stack::Packet packet, const Question& question, const wfp::engine::ClassifyResult& result,
               stack::Drop blocked_as);

  void set_sink(TraceSink* sink) { sink_ = sink; }
  void set_block_sink(TraceSink* sink) { block_sink_ = sink; }
  Interfaces& interfaces() { return interfaces_; }
  wfp::engine::Engine& engine() { return engine_; }
  stack::Hooks& hooks() { return hooks_; }

 private:
  TraceRecord record_of(const Question& question, const wfp::engine::ClassifyResult& result, bool pended) const;
  void tell(const Question& question, const wfp::engine::ClassifyResult& result, bool pended, bool is_fault);
  void show_discard(const Question& question, std::uint64_t filter_id);

  wfp::engine::Engine& engine_;
  stack::Hooks& hooks_;
  TraceSink* sink_ = nullptr;
  TraceSink* block_sink_ = nullptr;
  Interfaces interfaces_;
};

}  // namespace shim
