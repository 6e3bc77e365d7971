// Finds out whether somebody else on the link has our address: RFC 4862 5.4 with solicitations, RFC 5227 2.1 with ARP
// probes. Says when to send what; the resolver sends it. An address that is found unique is announced.
//
// An address that somebody else claims is not used, but not lost either: the claim may have been a mistake or a forgery,
// and whoever has it may leave. It is looked for again after a while, less and less often.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "stack/base/address.hpp"
#include "stack/base/rng.hpp"
#include "stack/base/time.hpp"

namespace stack::neighbor {

struct DetectionTiming {
  int probes_v4 = 3;                   // RFC 5227 1.1: PROBE_NUM
  Duration probe_interval_v4 = 1s;     // PROBE_MIN; up to PROBE_MAX, twice as long, at random
  Duration announce_wait_v4 = 2s;      // ANNOUNCE_WAIT
  int announcements_v4 = 2;            // ANNOUNCE_NUM
  Duration announce_interval_v4 = 2s;  // ANNOUNCE_INTERVAL
  int probes_v6 = 1;                   // RFC 4862 5.1: DupAddrDetectTransmits
  Duration probe_interval_v6 = 1s;     // RetransTimer
  // Ours: RFC 4862 5.4.5 leaves it to the administrator, RFC 5227 2.1.1 asks for a minute between later attempts.
  Duration first_retry = 10s;
  Duration last_retry = 5min;  // each is twice the one before, up to this
};

class DuplicateDetection {
 public:
  static constexpr std::size_t kMaxAddresses = 64;

  // Calls out from add() and on_timer().
  struct Actions {
    virtual void probe(const IpAddress& address) = 0;
    virtual void announce(const IpAddress& address) = 0;
    virtual void unique(const IpAddress& address, bool was_duplicate) = 0;  // before its first announcement
    virtual void again(const IpAddress& address) = 0;                       // before the first probe of a new attempt

   protected:
    ~Actions() = default;
  };

  DuplicateDetection(RandomSource& random, const DetectionTiming& timing, Actions& actions)
      : random_(random), timing_(timing), actions_(actions) {}

  // `optimistic`: the address is used meanwhile. The first probe goes out at once: its delay (RFC 4862 5.4.2) keeps
  // hosts that boot together apart, and a program that starts by hand is none of those.
  bool add(const IpAddress& address, Instant now);  // false: too many
  struct Conflict {
    Duration retry{};  // until it is looked for again; zero: never
    bool is_first = true;
  };
  // Somebody else has it, or probes for it. Nothing: it was not under detection; else it waits for the next attempt.
  std::optional<Conflict> on_conflict(const IpAddress& address, Instant now);
  void remove(const IpAddress& address);
  bool is_probing(const IpAddress& address) const;

  void on_timer(Instant now);
  Instant next_deadline() const;

 private:
  struct Candidate {
    IpAddress address;
    int probes_left = 0;
    int announcements_left = 0;
    bool is_unique = false;
    bool is_waiting = false;  // somebody else has it; `next` is when to look again
    Duration retry{};         // the last one
    Instant next;
  };
  Candidate* find_probing(const IpAddress& address);
  void begin(Candidate& candidate) const;
  void step(Candidate& candidate, Instant now);

  RandomSource& random_;
  DetectionTiming timing_;
  Actions& actions_;
  std::vector<Candidate> candidates_;
};

}  // namespace stack::neighbor
