// Everything that a node is built from. Plain data with one documented default each; the program fills it from its
// options and its configuration file, tests by hand.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stack/base/account.hpp"
#include "stack/base/address.hpp"
#include "stack/base/time.hpp"
#include "stack/tcp/config.hpp"

namespace node {

// What a misbehaving network does to frames, in each direction separately. All off by default.
struct Impairment {
  double loss = 0;  // probabilities, 0 to 1
  double duplicate = 0;
  double reorder = 0;  // this share of the frames overtakes: it is sent without the delay
  stack::Duration delay{};

  bool any() const { return loss > 0 || duplicate > 0 || reorder > 0 || delay > stack::Duration{}; }
};

enum class EndpointMetadata : std::uint8_t { Windows, Corrected };  // handle of packets that no endpoint owns
enum class VerifyLevel : std::uint8_t { Off, Standard, Full };

struct Config {
  std::string device = "wfp0";
  bool tun = false;  // raw IP instead of Ethernet
  std::uint32_t mtu = 1500;
  bool offload = true;                          // checksum and segmentation offload on the TAP, both ways
  bool io_uring = true;                         // false: readv/writev and epoll even where io_uring works
  std::vector<stack::IpPrefix> addresses;       // the stack's own
  std::vector<stack::IpPrefix> host_addresses;  // the kernel's side of the TAP
  std::vector<stack::IpAddress> gateways;       // at most one of each family
  EndpointMetadata endpoint_metadata = EndpointMetadata::Windows;
  VerifyLevel verify = VerifyLevel::Standard;
  Impairment impairment;
  std::uint64_t seed = 0;  // of impairments; secrets of the stack always come from the kernel
  std::size_t receive_memory = stack::Account::kDefaultLimit;     // bytes that what was received may hold, in all
  std::size_t send_memory = stack::tcp::TcpConfig{}.send_memory;  // bytes written and not acknowledged, in all
  std::uint32_t tcp_time_wait_seconds = 60;
  bool tcp_timestamps = true;
  stack::tcp::CongestionAlgorithm tcp_congestion = stack::tcp::CongestionAlgorithm::Cubic;
};

}  // namespace node
