#include "src/app/process/hang_monitor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "src/app/process/fault_text.hpp"
#include "src/app/process/sanitizer.hpp"
#include "wfp/ledger/violation.hpp"

namespace app {
namespace {

using testing::HasSubstr;
using wfp::ledger::CallKind;

// Keeps what it is told, and lets a test wait for it.
class Listener final : public HangListener {
 public:
  void on_hang(const Hang& hang) override { add(&Listener::hangs, hang); }
  void on_look_with_hang() override { add(&Listener::looks, 1); }

  template <typename Done>
  bool wait_until(Done done) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds{30}, done);
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Hang> hangs;
  std::vector<int> looks;

 private:
  template <typename List, typename Item>
  void add(List Listener::*list, const Item& item) {
    const std::lock_guard lock(mutex);
    (this->*list).push_back(item);
    changed.notify_all();
  }
};

// A thread inside a driver until it is let go.
class Stuck {
 public:
  Stuck(const char* name, CallKind kind)
      : driver_(wfp::ledger::add_driver(name)), thread_([this, kind] { run(kind); }) {
    keep_driver_name(driver_, name);
    while (id == 0) std::this_thread::yield();
  }
  ~Stuck() { let_go(); }
  void let_go() {
    go_ = true;
    if (thread_.joinable()) thread_.join();
  }

  std::atomic<int> id{0};

 private:
  void run(CallKind kind) {
    const wfp::ledger::DriverScope scope(driver_);
    const wfp::ledger::DriverCall call(kind);
    id = static_cast<int>(syscall(SYS_gettid));
    while (!go_)
      std::this_thread::sleep_for(std::chrono::milliseconds{1});  // where the thread sanitizer lets signals in
  }

  wfp::ledger::DriverId driver_;
  std::atomic<bool> go_{false};
  std::thread thread_;
};

class HangMonitorTest : public testing::Test {
 protected:
  void SetUp() override {
    install_thread_pictures();
    wfp::ledger::set_packet_describer([] { return std::string("TCP SYN here"); });
  }
  void TearDown() override { wfp::ledger::set_packet_describer(nullptr); }
  Listener listener;
};

TEST_F(HangMonitorTest, ACallThatLastsIsToldOnceWithAllThatIsKnown) {
  if (has_thread_sanitizer()) GTEST_SKIP() << "its signals come late";
  Stuck stuck("looper", CallKind::Dpc);
  const HangMonitor monitor(
      listener, [] { return "thread 9 waits for Godot\n"; }, HangMonitor::kLook);
  ASSERT_TRUE(listener.wait_until([&] { return listener.looks.size() >= 3; }));
  stuck.let_go();
  ASSERT_EQ(listener.hangs.size(), 1U);
  const Hang& hang = listener.hangs[0];
  EXPECT_EQ(hang.thread.thread, stuck.id);
  EXPECT_EQ(hang.thread.call, CallKind::Dpc);
  if (has_thread_sanitizer()) return;
  EXPECT_EQ(hang.thread.packet, "TCP SYN here");
  EXPECT_GE(hang.thread.stack.size(), 3U);
  PlaceClient nobody{tap::FileDescriptor{}};
  const auto text = text_of(hang, nobody);
  EXPECT_THAT(text, HasSubstr("*** driver looper has not come back from its DPC routine for"));
  EXPECT_THAT(text, HasSubstr("*** packet: TCP SYN here\n"));
  EXPECT_THAT(text, HasSubstr("*** stack:\n"));
}

TEST_F(HangMonitorTest, AThreadsBodyIsNoHangAndIsShownBesideOne) {
  if (has_thread_sanitizer()) GTEST_SKIP() << "its signals come late";
  const Stuck body("owner", CallKind::Thread);
  const Stuck stuck("owner", CallKind::Unload);
  const Stuck stranger("stranger", CallKind::Thread);
  const HangMonitor monitor(
      listener, [] { return ""; }, HangMonitor::kLook);
  ASSERT_TRUE(listener.wait_until([&] { return listener.looks.size() >= 2; }));
  const std::lock_guard lock(listener.mutex);
  ASSERT_EQ(listener.hangs.size(), 1U);
  EXPECT_EQ(listener.hangs[0].thread.call, CallKind::Unload);
  ASSERT_EQ(listener.hangs[0].others.size(), 1U);
  EXPECT_EQ(listener.hangs[0].others[0].thread, body.id);
}

TEST_F(HangMonitorTest, ShortCallsAreNeverTold) {
  if (has_thread_sanitizer()) GTEST_SKIP() << "its signals come late";
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    while (!stop) {
      const wfp::ledger::DriverCall call(CallKind::Classify);
      std::this_thread::yield();
    }
  });
  const Stuck stuck("looper", CallKind::Notify);  // tells that looks have been taken
  const HangMonitor monitor(
      listener, [] { return ""; }, 2 * HangMonitor::kLook);
  EXPECT_TRUE(listener.wait_until([&] { return listener.looks.size() >= 3; }));
  stop = true;
  busy.join();
  const std::lock_guard lock(listener.mutex);
  ASSERT_EQ(listener.hangs.size(), 1U);
  EXPECT_EQ(listener.hangs[0].thread.call, CallKind::Notify);
}

TEST_F(HangMonitorTest, AThreadThatIsGoneHasNoPicture) {
  int gone = 0;
  std::thread{[&] { gone = static_cast<int>(syscall(SYS_gettid)); }}.join();
  EXPECT_FALSE(picture_of(gone).has_value());
}

}  // namespace
}  // namespace app
