// One host of ours and a plain stack as its peer on a simulated link in virtual time, seeded: the same packets in the same
// order at every run. What the host does is counted, what the peer does is not.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/sim_driver.hpp"

namespace counters {

class TestBed {
 public:
  // `driver` is loaded into the host, in its mode robust; none when empty.
  explicit TestBed(const std::string& driver);
  ~TestBed();

  stack::core::Stack& peer() { return *peer_; }
  node::System& host() { return **host_; }

  // `accept` gets each connection to the host's port 80.
  void serve(std::function<void(stack::TcpStream)> accept);
  stack::TcpStream connect();  // from the peer to it
  // False when nothing more happens before it is done: the path is broken, not slow.
  bool run_until(const std::function<bool()>& done);

 private:
  class CountedHost;

  test::SimNetwork network_;
  test::SimStack peer_;
  std::unique_ptr<test::SimSystem> host_;
  std::unique_ptr<CountedHost> counted_;
  std::unique_ptr<test::SimDriver> driver_;
  std::shared_ptr<const stack::Owner> owner_ = std::make_shared<const stack::Owner>();
  std::vector<stack::TcpListener> listeners_;
};

}  // namespace counters
