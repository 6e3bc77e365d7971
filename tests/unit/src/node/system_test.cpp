// The end of a whole system while packets are under way in it: what is torn down last must outlive what still points to
// it. The sanitizer run sees a use after free here; without it the counts at the end tell.
#include "src/node/system.hpp"

#include <gtest/gtest.h>

#include <array>

#include "tests/support/quiet_system.hpp"
#include "wfp/inject/injections.hpp"
#include "wfp/ndis/chain.hpp"
#include "wfp/ndis/clone.hpp"
#include "wfp/ndis/nbl_pool.hpp"
#include "ws2def.h"

namespace node {
namespace {

using namespace std::chrono_literals;

struct CountingTrace final : shim::TraceSink {
  void classified(const shim::TraceRecord&) override { ++records; }
  std::size_t records = 0;
};

class SystemEnd : public testing::Test {
 protected:
  CountingTrace trace_;
  test::QuietSystem system_{stack::Medium::Ethernet, &trace_};
};

constexpr std::array<unsigned char, 28> kDatagram{0x45, 0, 0,  28, 0, 1,  0, 0, 64, 17, 0x65, 0xd2, 10, 77,
                                                  0,    2, 10, 77, 0, 99, 0, 7, 0,  7,  0,    8,    0,  0};

TEST_F(SystemEnd, AnInjectedPacketThatWaitsInTheStackIsCompleted) {
  wfp::ndis::NblPool pool{4};
  NET_BUFFER_LIST* const original = pool.allocate(64, kDatagram.size());
  wfp::ndis::copy_in(*original, 0, std::as_bytes(std::span{kDatagram}));
  NET_BUFFER_LIST* const clone = wfp::ndis::clone(*original, pool);
  wfp::ndis::release(*original);

  auto& injections = system_->injections();
  wfp::inject::Injection injection;
  injection.function = "test";
  injection.handle = injections.create(AF_INET, FWPS_INJECTION_TYPE_NETWORK);
  injection.type = FWPS_INJECTION_TYPE_NETWORK;
  injection.request.path = wfp::InjectPath::NetworkSend;
  injection.request.nbl = clone;
  injection.request.address_family = AF_INET;
  int completions = 0;
  injection.completion = [](void* context, NET_BUFFER_LIST*, BOOLEAN) { ++*static_cast<int*>(context); };
  injection.completion_context = &completions;
  ASSERT_EQ(injections.inject(injection), STATUS_SUCCESS);
  ASSERT_EQ(injections.drain(), 1u) << "it is in the stack's queue, for the next poll";
  ASSERT_EQ(injections.counts().in_flight, 1u);

  system_.destroy();
  EXPECT_EQ(completions, 1);
  ASSERT_EQ(wfp::ndis::reference_count(*clone), 1u) << "the driver's again";
  wfp::ndis::release(*clone);
  EXPECT_EQ(pool.in_use(), 0u);
}

TEST_F(SystemEnd, NoHookIsAskedOnceTheShimIsGone) {
  const auto owner = std::make_shared<const stack::Owner>();
  auto& stack = system_->stack();
  auto listening = stack.listen_tcp({stack::IpAddress::any(stack::Family::V4), 80}, owner);
  ASSERT_EQ(listening.error, stack::Error::None);
  auto opening = stack.connect_tcp({*stack::IpAddress::parse("10.77.0.99"), 80},
                                   {stack::IpAddress::any(stack::Family::V4), 0}, owner);
  ASSERT_TRUE(opening.error == stack::Error::None || opening.error == stack::Error::InProgress);
  system_.run_for(50ms);  // its SYN waits for a neighbour
  const auto seen = trace_.records;
  ASSERT_GT(seen, 0u);
  opening.stream = {};
  listening.listener = {};
  const auto closed = trace_.records;
  system_.destroy();
  EXPECT_EQ(trace_.records, closed) << "classified while the system went";
}

}  // namespace
}  // namespace node
