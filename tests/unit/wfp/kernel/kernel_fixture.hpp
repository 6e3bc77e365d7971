// A fresh kernel for each test, on real threads or simulated, with the test's own thread as processor 0. At teardown
// no violation may be left unread.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>

#include "ntddk.h"
#include "tests/unit/wfp/take_rules.hpp"
#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/kernel.hpp"
#include "wfp/kernel/real_scheduler.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/kernel/sim_scheduler.hpp"
#include "wfp/ledger/violation.hpp"

namespace wfp::kernel {

class SteadyClock : public Clock {
 public:
  Instant now() const override {
    return std::chrono::duration_cast<Instant>(std::chrono::steady_clock::now().time_since_epoch());
  }
  std::uint64_t system_time() const override { return static_cast<std::uint64_t>(now().count()) / 100 + kUnixEpoch; }

 private:
  static constexpr std::uint64_t kUnixEpoch = 116'444'736'000'000'000;
};

inline LARGE_INTEGER relative(Duration time) {
  LARGE_INTEGER out;
  out.QuadPart = -static_cast<LONGLONG>(time.count() / 100);
  return out;
}

enum class Mode { Real, Sim };

class KernelTest : public ::testing::Test {
 protected:
  void start(Mode mode, std::uint64_t seed = 1, unsigned processors = 1) {
    ledger::reset();
    ledger::set_level(ledger::Level::standard);
    driver = ledger::add_driver("testdriver");
    if (mode == Mode::Sim) {
      auto owned = std::make_unique<SimScheduler>(virtual_clock, seed, processors);
      sim = owned.get();
      kernel = std::make_unique<Kernel>(std::move(owned));
    } else {
      kernel = std::make_unique<Kernel>(std::make_unique<RealScheduler>(steady_clock, processors));
    }
    kernel->scheduler().bind_processor(0);
  }
  void TearDown() override {
    EXPECT_THAT(ledger::take_messages(), ::testing::IsEmpty());
    kernel.reset();
  }

  Scheduler& scheduler() { return kernel->scheduler(); }
  // Serves processor 0 for a while, as an event loop would, until `done`.
  template <class Done>
  void serve_until(Done done) {
    for (int i = 0; i < 20000 && !done(); ++i) {
      if (sim != nullptr) {
        sim->settle();
        if (const Instant next = sim->next_deadline(); !done() && next != kNever) sim->advance_to(next);
      } else {
        scheduler().run_posted(0);
        scheduler().run_dpcs(0);
        if (!done()) scheduler().sleep_until(scheduler().now() + std::chrono::microseconds(200));
      }
    }
    EXPECT_TRUE(done());
  }
  HANDLE start_thread(KSTART_ROUTINE* routine, void* context) {
    HANDLE handle = nullptr;
    EXPECT_EQ(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, nullptr, nullptr, nullptr, routine, context),
              STATUS_SUCCESS);
    return handle;
  }
  // The way drivers do it: handle to object, wait, give both back.
  NTSTATUS join(HANDLE handle, PLARGE_INTEGER timeout = nullptr) {
    void* object = nullptr;
    EXPECT_EQ(ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, *PsThreadType, KernelMode, &object, nullptr),
              STATUS_SUCCESS);
    EXPECT_EQ(ZwClose(handle), STATUS_SUCCESS);
    const NTSTATUS status = KeWaitForSingleObject(object, Executive, KernelMode, FALSE, timeout);
    ObDereferenceObject(object);
    return status;
  }

  VirtualClock virtual_clock;
  SteadyClock steady_clock;
  SimScheduler* sim = nullptr;
  std::unique_ptr<Kernel> kernel;
  ledger::DriverId driver = ledger::kNoDriver;
};

// Keeps every worker busy until `go` is set, so that what is queued meanwhile stays queued.
struct BusyWorkers {
  BusyWorkers() { KeInitializeEvent(&go, NotificationEvent, FALSE); }
  static VOID stop(PDEVICE_OBJECT, PVOID context) {
    auto& self = *static_cast<BusyWorkers*>(context);
    ++self.stopped;
    KeWaitForSingleObject(&self.go, Executive, KernelMode, FALSE, nullptr);
  }
  void queue(PIO_WORKITEM item) { IoQueueWorkItem(item, stop, DelayedWorkQueue, this); }
  bool are_all_busy() const { return stopped == kWorkerThreads; }

  KEVENT go;
  std::atomic<unsigned> stopped{0};
};

class BothSchedulers : public KernelTest, public ::testing::WithParamInterface<Mode> {
 protected:
  void SetUp() override { start(GetParam()); }
};

#define INSTANTIATE_BOTH(Suite)                                                         \
  INSTANTIATE_TEST_SUITE_P(Schedulers, Suite, ::testing::Values(Mode::Real, Mode::Sim), \
                           [](const auto& which) { return which.param == Mode::Real ? "Real" : "Sim"; })

}  // namespace wfp::kernel
