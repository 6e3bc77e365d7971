// The filter engine: objects that sessions add, the version of them that classifications read, and the callouts that
// drivers register. One per process. It knows no stack: shims ask it, wfp/host is what it needs from them.
//
// Threads: classify() on the thread that moves the packet, at any IRQL up to DISPATCH_LEVEL; it takes no lock and
// counts no reference on its way through the filters. Management at PASSIVE_LEVEL on any thread. Everything else from
// any thread. Ownership: the parties given to the constructor outlive the engine. Source: documented WFP architecture
// and arbitration; decisions of our own are in the README.
#pragma once

#include <array>
#include <atomic>
#include <bitset>
#include <functional>
#include <string>
#include <vector>

#include "wfp/engine/callouts.hpp"
#include "wfp/engine/classify.hpp"
#include "wfp/engine/enumerate.hpp"
#include "wfp/engine/management.hpp"
#include "wfp/engine/offload_consent.hpp"
#include "wfp/engine/snapshot.hpp"
#include "wfp/host/host.hpp"

namespace wfp::engine {

class Engine {
 public:
  Engine(Host& host, kernel::Scheduler& scheduler);
  ~Engine();
  static Engine& current();  // a bug check when there is none
  static bool exists();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // The layers that the host's shims ask; every one until they say so. Once, before drivers.
  void set_asked_layers(const std::vector<std::uint16_t>& layers);
  void set_flows(FlowContexts* flows);  // once, before traffic; may be null: no flow has a context

  // --- the packet path ---
  // Somebody wants to be asked at this layer: a filter, or tracing. One load.
  bool armed(std::uint16_t layer) const {
    return tracing_.load(std::memory_order_relaxed) || has_filters_[layer].load(std::memory_order_relaxed);
  }
  // Runs the filters of input.values->layerId and calls the callouts, at the layer's IRQL, in their drivers' names.
  ClassifyResult classify(const ClassifyInput& input);

  // --- what the host asks ---
  void set_tracing(bool on);  // arms every layer
  const OffloadConsent& offload_consent() const { return offload_consent_; }
  LayerCounts counts(std::uint16_t layer) const;
  bool is_asked(std::uint16_t layer) const { return layer < asked_.size() && asked_.test(layer); }
  std::vector<LayerReport> layer_reports() const;      // every layer that has or had filters or was classified at
  std::vector<CalloutReport> callout_reports() const;  // registered, added, or both
  std::vector<FilterReport> filter_reports() const;    // of the published version, in the order of evaluation

  // --- drivers ---
  CalloutTable& callouts() { return callouts_; }
  Management& management() { return management_; }
  void callouts_changed();  // a registration came or went
  // What a driver left behind when it was unloaded: taken away, and named.
  void remove_driver(ledger::DriverId driver);

  // Frees retired versions and gives delete notices that could not be given at once. [PASSIVE_LEVEL, between packets]
  void collect() { management_.collect(); }

  Host& host() { return host_; }
  kernel::Scheduler& scheduler() { return scheduler_; }

 private:
  void published(const Management::Filters& added, const Management::Filters& deleted);
  void count(std::uint16_t layer, const ClassifyResult& result);

  struct Counters {
    std::atomic<std::uint64_t> classified{0}, permitted{0}, blocked{0}, absorbed{0};
  };
  Host& host_;
  kernel::Scheduler& scheduler_;
  FlowContexts* flows_ = nullptr;
  CalloutTable callouts_;
  OffloadConsent offload_consent_;
  Management management_;
  std::atomic<bool> tracing_{false};
  std::array<std::atomic<bool>, model::kLayerCount> has_filters_{}, had_filters_{};
  std::bitset<model::kLayerCount> asked_;
  std::array<Counters, model::kLayerCount> counters_{};
};

}  // namespace wfp::engine
