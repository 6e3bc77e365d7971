// The least that keeps a kernel's TCP client going: it answers segments and sends when the window allows. No stack: nothing is
// reordered, checked or timed, one client address is known, what is lost is sent again from the first byte that is missing
// once nobody has acknowledged for a while. What a TAP device and the kernel's client allow at best is measured with it.
//
// Ports: 7 echo, 9 discard, 80 answers any request: "GET /bytes/" with bytes without end, others with a page and a FIN.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>

#include "stack/base/bytes.hpp"
#include "tap/offload.hpp"

namespace ceiling {

inline constexpr std::size_t kHeaderBytes = 14 + 20 + 32;  // Ethernet, IPv4, TCP with the options of a SYN

// Sends one frame: a header of the device, protocol headers, and payload that stays where it is.
using Transmit = std::function<void(const tap::VnetHeader&, stack::Bytes headers, stack::Bytes payload)>;

class Responder {
 public:
  explicit Responder(Transmit transmit);
  ~Responder();

  void receive(stack::Bytes frame);
  void end_of_batch();  // acknowledges what was received since the last one
  void on_silence();    // nothing came for a while: what is not acknowledged is sent again

 private:
  struct Connection;
  struct Segment;

  void open(const Segment& segment);
  void take_request(Connection& connection, const Segment& segment);
  void take_acknowledgement(Connection& connection, const Segment& segment);
  void take_end(Connection& connection);
  void pump(Connection& connection);
  void send(Connection& connection, std::uint8_t flags, std::uint32_t sequence, stack::Bytes payload);

  Transmit transmit_;
  std::array<std::unique_ptr<Connection>, 65'536> connections_;  // by the client's port
  std::array<std::uint16_t, 1024> unacknowledged_{};             // ports that wait for end_of_batch()
  std::size_t unacknowledged_count_ = 0;
};

}  // namespace ceiling
