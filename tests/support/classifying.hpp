// Runs a test's code inside a classify of the real engine: a callout at a layer, a filter that calls it, one
// classification.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "fwpmk.h"
#include "nt/ntstatus.h"
#include "wfp/engine/engine.hpp"

namespace wfp {

class Classifying {
 public:
  Classifying(engine::Engine& engine, std::uint16_t layer, ledger::DriverId driver = ledger::kNoDriver)
      : engine_(engine), layer_(layer) {
    const GUID key{0x6b1d'0c42, layer, 1, {1, 2, 3, 4, 5, 6, 7, 8}};
    engine::Registration registration;
    registration.key = key;
    registration.version = 1;
    registration.classify = reinterpret_cast<void (*)()>(&classify);
    registration.flow_delete = &flow_deleted;
    registration.driver = driver;
    engine_.callouts().add(registration, &callout_id);
    engine::SessionId session = 0;
    engine_.management().open({.name = u"test"}, session);
    model::CalloutObject callout;
    callout.key = key;
    callout.name = u"test";
    callout.layer = layer;
    engine_.management().add(session, callout, nullptr);
    model::Filter filter;
    filter.name = u"test";
    filter.layer = layer;
    filter.action = FWP_ACTION_CALLOUT_UNKNOWN;
    filter.callout = key;
    added = engine_.management().add(session, filter, &filter_id_);
    session_ = session;
  }
  ~Classifying() {
    engine_.management().remove_filter(session_, filter_id_);
    engine_.management().close(session_);
    engine_.callouts().remove(callout_id);
    engine_.collect();
  }
  Classifying(const Classifying&) = delete;
  Classifying& operator=(const Classifying&) = delete;

  // `body` runs as the callout's classifyFn would.
  engine::ClassifyResult run(engine::ClassifyInput input,
                             std::function<void(std::uint64_t, FWPS_CLASSIFY_OUT0&)> body) {
    FWPS_INCOMING_VALUES0 values{};
    values.layerId = layer_;
    FWPS_INCOMING_METADATA_VALUES0 metadata{};
    input.values = &values;
    if (input.metadata == nullptr) input.metadata = &metadata;
    body_ = std::move(body);
    const engine::ClassifyResult result = engine_.classify(input);
    body_ = nullptr;
    return result;
  }

  struct Deleted {
    std::uint16_t layer;
    std::uint32_t callout;
    std::uint64_t context;
  };
  static inline std::vector<Deleted> deleted;
  static inline std::function<void()> on_deleted;
  std::uint32_t callout_id = 0;
  NTSTATUS added = STATUS_PENDING;

 private:
  static void NTAPI classify(const FWPS_INCOMING_VALUES0*, const FWPS_INCOMING_METADATA_VALUES0*, void*, const void*,
                             const FWPS_FILTER1*, UINT64 flow_context, FWPS_CLASSIFY_OUT0* out) {
    if (out->actionType == 0) out->actionType = FWP_ACTION_CONTINUE;  // unless the body says something else
    if (body_) body_(flow_context, *out);
  }
  static void NTAPI flow_deleted(UINT16 layer, UINT32 callout, UINT64 context) {
    const std::lock_guard guard(deleted_lock_);
    deleted.push_back({layer, callout, context});
    if (on_deleted) on_deleted();
  }
  static inline std::function<void(std::uint64_t, FWPS_CLASSIFY_OUT0&)> body_;
  static inline std::mutex deleted_lock_;

  engine::Engine& engine_;
  const std::uint16_t layer_;
  engine::SessionId session_ = 0;
  std::uint64_t filter_id_ = 0;
};

}  // namespace wfp
