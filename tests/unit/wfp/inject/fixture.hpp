// What the injection tests share: both schedulers, a host without a stack, a pool that must be empty at the end, and
// a completion function that counts.
#pragma once

#include <memory>
#include <vector>

#include "tests/support/fake_host.hpp"
#include "tests/unit/wfp/kernel/kernel_fixture.hpp"
#include "tests/unit/wfp/take_rules.hpp"
#include "wfp/inject/injections.hpp"
#include "wfp/ledger/driver_call.hpp"
#include "wfp/ndis/chain.hpp"
#include "wfp/ndis/clone.hpp"
#include "wfp/ndis/nbl_pool.hpp"
#include "ws2def.h"

namespace wfp::inject {

using kernel::Mode;

struct Completed {
  NET_BUFFER_LIST* nbl;
  NTSTATUS status;
  KIRQL irql;
  ledger::DriverId driver;
};

class InjectTest : public kernel::BothSchedulers {
 protected:
  void SetUp() override {
    BothSchedulers::SetUp();
    injections = std::make_unique<Injections>(host, scheduler(), 0x1234'5678'9abc'def0);
    const ledger::DriverScope scope(driver);
    network = injections->create(AF_INET, FWPS_INJECTION_TYPE_NETWORK);
    transport = injections->create(AF_INET, FWPS_INJECTION_TYPE_TRANSPORT);
  }
  void TearDown() override {
    EXPECT_EQ(injections->counts().in_flight, 0u);
    injections.reset();
    EXPECT_EQ(pool.in_use(), 0u);
    EXPECT_EQ(ledger::alive_count(driver, ledger::Kind::injection), 0u);
    KernelTest::TearDown();
  }

  static void NTAPI completion(void* context, NET_BUFFER_LIST* nbl, BOOLEAN dispatch_level) {
    EXPECT_TRUE(dispatch_level);
    EXPECT_EQ(ledger::current_call(), ledger::CallKind::Completion);
    EXPECT_EQ(ndis::reference_count(*nbl), 1u);
    auto& self = *static_cast<InjectTest*>(context);
    self.completed.push_back({nbl, nbl->Status, kernel::current_irql(), ledger::current_driver()});
    if (self.free_on_completion) ndis::release(*nbl);
  }
  // As the stack has it, which is nobody's to inject.
  NET_BUFFER_LIST* make_original(unsigned first_byte = 0x45, std::size_t size = 40) {
    NET_BUFFER_LIST* const nbl = pool.allocate(64, size);
    std::vector<std::byte> bytes(size, std::byte{0});
    bytes[0] = static_cast<std::byte>(first_byte);
    ndis::copy_in(*nbl, 0, bytes);
    return nbl;
  }
  // A clone, as a driver makes it.
  NET_BUFFER_LIST* make_packet(unsigned first_byte = 0x45, std::size_t size = 40) {
    NET_BUFFER_LIST* const original = make_original(first_byte, size);
    NET_BUFFER_LIST* const nbl = ndis::clone(*original, pool);
    ndis::release(*original);
    return nbl;
  }
  Injection make(InjectPath path, NET_BUFFER_LIST* nbl) {
    Injection injection;
    injection.function = "test";
    const bool is_network = path == InjectPath::NetworkReceive || path == InjectPath::NetworkSend;
    injection.handle = is_network ? network : transport;
    injection.type = is_network ? FWPS_INJECTION_TYPE_NETWORK : FWPS_INJECTION_TYPE_TRANSPORT;
    injection.request.path = path;
    injection.request.nbl = nbl;
    injection.request.address_family = AF_INET;
    injection.request.endpoint = 77;
    injection.completion = completion;
    injection.completion_context = this;
    return injection;
  }
  NTSTATUS inject(InjectPath path, NET_BUFFER_LIST* nbl) {
    const ledger::DriverScope scope(driver);
    return injections->inject(make(path, nbl));
  }
  void turn() {  // as the loop of a processor does between packets
    injections->drain();
    injections->run_completions();
  }

  FakeHost host;
  ndis::NblPool pool{40'000};
  std::unique_ptr<Injections> injections;
  HandleValue network = 0, transport = 0;
  std::vector<Completed> completed;
  bool free_on_completion = true;
};

}  // namespace wfp::inject
