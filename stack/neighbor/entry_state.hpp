// The state of one neighbour (RFC 4861 7.3.2 and appendix C), for IPv6 and, with ARP in the place of solicitations,
// for IPv4 (RFC 1122 2.3.2.1 asks for the same). Pure: times in, actions out.
#pragma once

#include <cstdint>

#include "stack/base/address.hpp"
#include "stack/base/time.hpp"

namespace stack::neighbor {

enum class State : std::uint8_t { Incomplete, Reachable, Stale, Delay, Probe };

struct Timing {  // RFC 4861 10
  Duration reachable = 30s;
  Duration delay_first_probe = 5s;
  Duration retransmit = 1s;
  int max_multicast_solicit = 3;
  int max_unicast_solicit = 3;
};

// What an entry wants done now.
enum class Solicit : std::uint8_t { None, Multicast, Unicast, GiveUp };

class EntryState {
 public:
  State state() const { return state_; }
  const MacAddress& mac() const { return mac_; }
  bool is_asked() const { return state_ == State::Incomplete || state_ == State::Probe; }  // a question is out
  bool has_mac() const { return state_ != State::Incomplete; }
  Instant deadline() const { return deadline_; }

  Solicit start(const Timing& timing, Instant now);         // new: resolve it
  void on_send(const Timing& timing, Instant now);          // a packet uses the entry
  Solicit on_timer(const Timing& timing, Instant now);      // at or after deadline()
  void on_confirmation(const Timing& timing, Instant now);  // RFC 4861 7.3.1: a transport made progress
  // An advertisement (ARP: a reply).
  enum class Heed : std::uint8_t {
    Ignored,   // it says nothing that may change the entry, or contradicts it without the override flag
    Taken,     // it holds
    Answered,  // and is what packets wait for
  };
  struct Advertisement {
    const MacAddress* mac = nullptr;  // none: keeps the one that is there
    bool solicited = false;
    bool override_entry = false;
  };
  Heed on_advertisement(const Advertisement& advertisement, const Timing& timing, Instant now);
  // The neighbour's own request told its address (RFC 4861 7.2.3). Returns whether that is what packets wait for.
  bool on_heard(const MacAddress& mac);

 private:
  void enter(State state, Instant deadline) { state_ = state, deadline_ = deadline; }

  State state_ = State::Incomplete;
  MacAddress mac_;
  Instant deadline_ = kNever;
  int solicits_ = 0;
};

}  // namespace stack::neighbor
