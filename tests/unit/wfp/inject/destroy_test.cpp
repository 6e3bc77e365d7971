#include <thread>

#include "tests/unit/wfp/inject/fixture.hpp"

namespace wfp::inject {
namespace {

class DestroyTest : public InjectTest {
 protected:
  struct Destroyer {
    DestroyTest* test;
    std::atomic<bool> done{false};
    NTSTATUS status = STATUS_PENDING;
    std::size_t completed_before_return = 0;
  };
  static void NTAPI destroy_thread(void* context) {
    auto& self = *static_cast<Destroyer*>(context);
    self.status = self.test->injections->destroy(self.test->network);
    self.completed_before_return = self.test->completed.size();
    self.done = true;
  }
};
INSTANTIATE_BOTH(DestroyTest);

TEST_P(DestroyTest, WaitsForTheLastCompletionOfItsOwnInjections) {
  for (int i = 0; i < 5; ++i) ASSERT_EQ(inject(InjectPath::NetworkSend, make_packet()), STATUS_SUCCESS);
  Destroyer destroyer{.test = this};
  const HANDLE thread = start_thread(destroy_thread, &destroyer);
  int rounds = 0;
  serve_until([&] {
    turn();
    if (++rounds > 3 && !host.injected.empty()) {
      EXPECT_FALSE(destroyer.done);
      host.finish_one();
    }
    return destroyer.done.load();
  });
  EXPECT_EQ(destroyer.status, STATUS_SUCCESS);
  EXPECT_EQ(destroyer.completed_before_return, 5u);
  EXPECT_EQ(join(thread), STATUS_SUCCESS);
  EXPECT_EQ(injections->destroy(network), STATUS_FWP_INJECT_HANDLE_STALE);
}

TEST_P(DestroyTest, AClosingHandleRefusesInjections) {
  ASSERT_EQ(inject(InjectPath::NetworkSend, make_packet()), STATUS_SUCCESS);
  Destroyer destroyer{.test = this};
  const HANDLE thread = start_thread(destroy_thread, &destroyer);
  NET_BUFFER_LIST* const late = make_packet();
  Injection stale = make(InjectPath::NetworkSend, late);
  serve_until([&] {
    const NTSTATUS status = injections->inject(stale);
    if (status == STATUS_SUCCESS) {
      turn();
      host.finish_all();
      turn();
      stale.request.nbl = make_packet();
      return false;
    }
    return status == STATUS_FWP_INJECT_HANDLE_CLOSING || status == STATUS_FWP_INJECT_HANDLE_STALE;
  });
  ndis::release(*stale.request.nbl);
  serve_until([&] {
    turn();
    host.finish_all();
    turn();
    return destroyer.done.load();
  });
  EXPECT_EQ(join(thread), STATUS_SUCCESS);
  ledger::clear_violations();  // the refusal: a note while the handle closes, a violation once it is gone
}

TEST_P(DestroyTest, OnTheProcessorsOwnThreadItDoesTheWorkItself) {
  injections->set_progress([this] { return host.finish_all(); });
  for (int i = 0; i < 3; ++i) ASSERT_EQ(inject(InjectPath::NetworkSend, make_packet()), STATUS_SUCCESS);
  EXPECT_EQ(injections->destroy(network), STATUS_SUCCESS);
  EXPECT_EQ(completed.size(), 3u);
}

TEST_P(DestroyTest, WithoutProgressItSaysSoInsteadOfHanging) {
  ASSERT_EQ(inject(InjectPath::NetworkSend, make_packet()), STATUS_SUCCESS);
  EXPECT_EQ(injections->destroy(network), STATUS_FWP_IN_USE);
  host.finish_all();
  turn();
  EXPECT_EQ(completed.size(), 1u);
  EXPECT_EQ(injections->destroy(network), STATUS_SUCCESS);  // it can be tried again
  EXPECT_EQ(injections->destroy(network), STATUS_FWP_INJECT_HANDLE_STALE);
}

TEST_P(DestroyTest, HandlesOfADriverGoTogether) {
  EXPECT_EQ(injections->destroy_all_of(driver), 2u);
  EXPECT_EQ(injections->destroy_all_of(driver), 0u);
}

struct Injector {
  InjectTest* test;
  Injections* injections;
  std::vector<Injection> calls;
  std::atomic<int> accepted{0};
};

void NTAPI inject_thread(void* context) {
  auto& self = *static_cast<Injector*>(context);
  for (const Injection& call : self.calls)
    if (self.injections->inject(call) == STATUS_SUCCESS) ++self.accepted;
}

TEST_P(DestroyTest, ManyThreadsInjectAndEachPacketCompletesOnce) {
  constexpr int kThreads = 4, kPackets = 200;
  std::array<Injector, kThreads> injectors;
  std::vector<HANDLE> threads;
  for (Injector& injector : injectors) {
    injector.test = this;
    injector.injections = injections.get();
    for (int i = 0; i < kPackets; ++i) injector.calls.push_back(make(InjectPath::NetworkSend, make_packet()));
  }
  for (Injector& injector : injectors) threads.push_back(start_thread(inject_thread, &injector));
  serve_until([&] {
    turn();
    host.finish_all();
    return completed.size() == kThreads * kPackets;
  });
  for (const HANDLE thread : threads) EXPECT_EQ(join(thread), STATUS_SUCCESS);
  for (const Injector& injector : injectors) EXPECT_EQ(injector.accepted, kPackets);
}

}  // namespace
}  // namespace wfp::inject
