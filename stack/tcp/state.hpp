// The states of a connection (RFC 9293 3.3.2) and the transitions that figure 5 allows, plus the aborts from
// anywhere.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stack::tcp {

enum class State : std::uint8_t {
  Closed,
  Listen,
  SynSent,
  SynReceived,
  Established,
  FinWait1,
  FinWait2,
  CloseWait,
  Closing,
  LastAck,
  TimeWait,
};
inline constexpr std::size_t kStateCount = 11;

const char* name_of(State state);  // "ESTABLISHED"
bool is_legal(State from, State to);

// The peer's SYN has been seen: sequence numbers of both sides are known (RFC 9293 3.10.7.4 applies).
constexpr bool is_synchronized(State state) { return state >= State::SynReceived; }
// Our FIN may still have to be sent or acknowledged, or data may: bytes can leave.
constexpr bool may_send_data(State state) {
  return state == State::Established || state == State::CloseWait || state == State::FinWait1 ||
         state == State::Closing || state == State::LastAck;
}
// The peer may still send bytes.
constexpr bool may_receive_data(State state) {
  return state == State::Established || state == State::FinWait1 || state == State::FinWait2;
}

}  // namespace stack::tcp
