// Packets and operations in words, for messages of the verifier.
#pragma once

#include <string>

#include "src/shim/facts.hpp"
#include "wfp/engine/classify.hpp"
#include "wfp/host/host.hpp"

namespace shim {

// "TCP RST ACK 10.77.0.2:4444 > 10.77.0.1:40000 (tcp.reset)"
class FactsDescriber final : public wfp::engine::Describer {
 public:
  explicit FactsDescriber(const Facts& facts) : facts_(facts) {}
  std::string describe() const override;

 private:
  const Facts& facts_;
};

// The same of a packet that a driver injects, outside any classify: from its bytes where they begin with an IP header, else
// from what it was cloned from.
std::string describe_injection(const wfp::InjectRequest& request);

}  // namespace shim
