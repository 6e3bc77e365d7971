#include "bench/counters/test_bed.hpp"

#include <cstdio>
#include <cstdlib>

#include "bench/counters/counting.hpp"

namespace counters {
namespace {

using namespace std::chrono_literals;
constexpr std::uint64_t kSeed = 1;
constexpr auto kAddressesSettle = 3s;  // duplicate address detection
constexpr auto kLimit = 600s;          // of virtual time

}  // namespace

class TestBed::CountedHost final : public test::SimHost {
 public:
  explicit CountedHost(test::SimSystem& host) : host_(host) {}
  void receive(stack::Packet frame, stack::Instant now) override {
    const Counted counted;
    host_.receive(std::move(frame), now);
  }
  stack::Instant poll(stack::Instant now) override {
    const Counted counted;
    return host_.poll(now);
  }

 private:
  test::SimSystem& host_;
};

TestBed::TestBed(const std::string& driver)
    : network_({.impairment = {.delay = 1ms}, .seed = kSeed}),
      peer_(network_.link().end(0), "10.77.0.1/24", "fd77::1/64", {}, kSeed + 1000),
      host_(std::make_unique<test::SimSystem>(network_, 1, test::SimSystem::default_config(), nullptr, kSeed)),
      counted_(std::make_unique<CountedHost>(*host_)) {
  host_->set_wake_observer(&count_wake);
  network_.set_host(0, peer_);
  network_.set_host(1, *counted_);
  network_.run_for(kAddressesSettle);
  if (driver.empty()) return;
  driver_ = std::make_unique<test::SimDriver>(*host_, WFPTAP_DRIVERS, driver);
  if (const auto why = driver_->load({{"mode", "robust"}}); !why.empty()) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::exit(2);
  }
}

TestBed::~TestBed() {
  listeners_.clear();
  network_.run_for(kAddressesSettle);
  driver_.reset();
}

void TestBed::serve(std::function<void(stack::TcpStream)> accept) {
  auto result = host().stack().listen_tcp({stack::IpAddress::any(stack::Family::V4), 80}, owner_);
  CHECK(result.error == stack::Error::None);
  result.listener.set_accept_handler(std::move(accept));
  listeners_.push_back(std::move(result.listener));
}

stack::TcpStream TestBed::connect() {
  auto result = peer().connect_tcp({*stack::IpAddress::parse("10.77.0.2"), 80},
                                   {stack::IpAddress::any(stack::Family::V4), 0}, owner_);
  CHECK(result.stream);
  return std::move(result.stream);
}

bool TestBed::run_until(const std::function<bool()>& done) { return network_.run_until(done, kLimit); }

}  // namespace counters
