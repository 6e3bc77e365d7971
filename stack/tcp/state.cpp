#include "stack/tcp/state.hpp"

#include <array>

namespace stack::tcp {
namespace {

constexpr std::uint16_t bit(State state) { return static_cast<std::uint16_t>(1U << static_cast<unsigned>(state)); }

template <typename... States>
constexpr std::uint16_t to(States... states) {
  return static_cast<std::uint16_t>((bit(states) | ... | bit(State::Closed)));  // every connection may be aborted
}

// RFC 9293 figure 5, row by state. FIN_WAIT_1 to TIME_WAIT is the segment that acknowledges our FIN and carries the
// peer's.
constexpr std::array<std::uint16_t, kStateCount> kNext{
    to(State::Listen, State::SynSent, State::SynReceived, State::Established),  // Closed; the last: a SYN cookie
    to(State::SynReceived),                                                     // Listen
    to(State::SynReceived, State::Established),                                 // SynSent
    to(State::Established, State::FinWait1, State::CloseWait),                  // SynReceived
    to(State::FinWait1, State::CloseWait),                                      // Established
    to(State::FinWait2, State::Closing, State::TimeWait),                       // FinWait1
    to(State::TimeWait),                                                        // FinWait2
    to(State::LastAck),                                                         // CloseWait
    to(State::TimeWait),                                                        // Closing
    to(),                                                                       // LastAck
    to(),                                                                       // TimeWait
};

}  // namespace

const char* name_of(State state) {
  constexpr std::array names{"CLOSED",     "LISTEN",     "SYN_SENT", "SYN_RCVD", "ESTABLISHED", "FIN_WAIT_1",
                             "FIN_WAIT_2", "CLOSE_WAIT", "CLOSING",  "LAST_ACK", "TIME_WAIT"};
  static_assert(names.size() == kStateCount);
  return names[static_cast<std::size_t>(state)];
}

bool is_legal(State from, State to) { return (kNext[static_cast<std::size_t>(from)] & bit(to)) != 0; }

}  // namespace stack::tcp
