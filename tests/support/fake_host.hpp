// A wfp::Host without a stack: it keeps what was injected until the test releases it, and remembers what it was told.
// The thread that makes it is the processor's thread. wake() may come from any thread, the rest from that one.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "nt/ntstatus.h"
#include "wfp/host/host.hpp"

namespace wfp {

class FakeHost final : public Host {
 public:
  void inject(const InjectRequest& request) override {
    injected.push_back(request);
    if (on_inject) on_inject(request);
    if (keep) return;
    injected_and_gone.push_back(injected.back());
    injected.pop_back();
    request.nbl->Status = drop_status;
    ndis::release(*request.nbl);
  }
  void drop_looping(const InjectRequest& request) override {
    ++looping;
    request.nbl->Status = STATUS_UNSUCCESSFUL;
    ndis::release(*request.nbl);
  }
  std::string describe(const InjectRequest&) const override { return "the packet"; }
  void resume(std::uint64_t ticket) override {
    resumed.push_back(ticket);
    if (on_resume) on_resume(ticket);
  }
  void abort_flow(std::uint64_t flow) override { aborted.push_back(flow); }
  void layers_changed() override { ++layer_changes; }
  void wake() override { ++wakes; }
  bool on_processor_thread() const override {
    return is_processor_thread ? is_processor_thread() : std::this_thread::get_id() == thread_;
  }
  std::int64_t now_ns() const override { return now; }

  // The stack is done with the oldest packet that it has, or with all of them.
  void finish_one(NTSTATUS status = STATUS_SUCCESS) {
    NET_BUFFER_LIST* const nbl = injected.front().nbl;
    injected_and_gone.push_back(injected.front());
    injected.erase(injected.begin());
    nbl->Status = status;
    ndis::release(*nbl);
  }
  bool finish_all(NTSTATUS status = STATUS_SUCCESS) {
    const bool any = !injected.empty();
    while (!injected.empty()) finish_one(status);
    return any;
  }

  bool keep = true;  // false: packets are given up inside inject()
  NTSTATUS drop_status = STATUS_SUCCESS;
  std::vector<InjectRequest> injected, injected_and_gone;
  int looping = 0;
  std::vector<std::uint64_t> resumed, aborted;
  std::function<void(const InjectRequest&)> on_inject;
  std::function<void(std::uint64_t)> on_resume;
  std::function<bool()> is_processor_thread;
  std::atomic<int> layer_changes{0}, wakes{0};
  std::int64_t now = 0;

 private:
  const std::thread::id thread_ = std::this_thread::get_id();
};

}  // namespace wfp
