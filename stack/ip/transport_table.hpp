// Which transport takes which IP protocol. Filled by stack/core at start.
#pragma once

#include <array>

#include "stack/ip/transport_sink.hpp"

namespace stack::ip {

class TransportTable {
 public:
  void set(std::uint8_t protocol, TransportSink* sink) { sinks_[protocol] = sink; }
  TransportSink* find(std::uint8_t protocol) const { return sinks_[protocol]; }  // null: nobody

 private:
  std::array<TransportSink*, 256> sinks_{};
};

}  // namespace stack::ip
