// Injections: how callouts give packets to the stack. A call checks its arguments, puts a ticket on the NBL and
// queues it; the processor's thread hands it to the host between packets, and completes it when the stack has
// released it.
//
// A call that succeeds owns the packet until the completion function has run, exactly once, never inside the call and
// never inside a classify. A call that fails took nothing. Completion: layout, release handler and mark of the NBL
// are as they were, its single reference is the driver's again, NBL->Status tells the outcome.
//
// Threads: inject, state, create and destroy from any thread; drain and run_completions on the processor's thread
// between packets. Ownership: host and scheduler outlive this object; every handle is destroyed before it. Source:
// documented Fwps injection functions; what they leave open is in this folder's README.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "fwps/inject.h"
#include "wfp/host/host.hpp"
#include "wfp/inject/inject_status.hpp"
#include "wfp/inject/injection_handles.hpp"
#include "wfp/inject/ip_header.hpp"
#include "wfp/inject/ticket.hpp"

namespace wfp::inject {

inline constexpr std::uint32_t kMaxHops = 16;  // times that a packet and what it was cloned from may be injected

// One call, translated.
struct Injection {
  const char* function = "";  // the called function, for messages
  HandleValue handle = 0;
  std::uint64_t context = 0;  // injectionContext, given back by state()
  std::uint32_t type = 0;     // FWPS_INJECTION_TYPE_* that the handle must have
  bool has_send_args = true;  // TransportSend: without them the packet must bring its own IP header
  InjectRequest request;
  FWPS_INJECT_COMPLETE0 completion = nullptr;
  HANDLE completion_context = nullptr;
  std::string packet{};  // in words, for a call that is refused
};

struct InjectionCounts {
  struct Direction {
    std::uint64_t accepted = 0, completed = 0, failed = 0,
                  refused = 0;  // failed: completed with an error; refused: calls
  };
  Direction inbound, outbound;
  std::uint64_t zero_endpoint = 0;  // transport sends that named no endpoint: they complete with an error
  std::uint64_t too_many_hops = 0;
  std::size_t in_flight = 0;
};

class Injections {
 public:
  // `key` makes IPv4 identifications unpredictable (ip_header.hpp).
  Injections(Host& host, kernel::Scheduler& scheduler, std::uint64_t key, unsigned processor = 0);
  ~Injections();
  Injections(const Injections&) = delete;
  Injections& operator=(const Injections&) = delete;
  static Injections* current();  // the one that exists, or null; for the extern "C" side

  // --- drivers ---
  HandleValue create(std::uint16_t address_family, std::uint32_t types) {
    return handles_.create(address_family, types);
  }
  // Returns when the last completion function of this handle has returned. On the processor's own thread it does the
  // waiting's work itself (set_progress); STATUS_FWP_IN_USE: nothing moves there any more, and the handle stays as it
  // was. STATUS_FWP_INJECT_HANDLE_STALE: no such handle, or somebody destroys it already.
  NTSTATUS destroy(HandleValue handle);
  // STATUS_INVALID_PARAMETER, STATUS_FWP_NULL_POINTER, STATUS_FWP_INJECT_HANDLE_STALE or _CLOSING,
  // STATUS_INSUFFICIENT_RESOURCES (bounds reached). A refusal is reported.
  NTSTATUS inject(Injection injection);
  // For a call that is refused before it comes here: counted and reported like the others. Returns `status`.
  NTSTATUS refuse(Injection injection, NTSTATUS status, const std::string& why);
  // `context` may be null.
  FWPS_PACKET_INJECTION_STATE state(HandleValue handle, const NET_BUFFER_LIST& nbl, std::uint64_t* context) const;
  // Handles that an unloaded driver left: destroyed. Returns how many.
  std::size_t destroy_all_of(ledger::DriverId driver);
  IpHeaderBuilder& ip_headers() { return ip_headers_; }

  // --- the host's loop, between packets ---
  bool has_work() const { return tickets_.request_count() != 0 || tickets_.done_count() != 0; }
  std::size_t drain();            // hands requests to the host; those queued at entry
  std::size_t run_completions();  // calls completion functions at DISPATCH_LEVEL; those due at entry
  // How the stack gets on while its own thread waits in destroy(): runs what the host has queued; true when there was
  // any.
  void set_progress(std::function<bool()> progress) { progress_ = std::move(progress); }

  InjectionCounts counts() const;

 private:
  struct DirectionCounters {
    std::atomic<std::uint64_t> accepted{0}, completed{0}, failed{0}, refused{0};
  };
  DirectionCounters& counters(InjectPath path) {
    return path == InjectPath::NetworkReceive || path == InjectPath::TransportReceive ? inbound_ : outbound_;
  }
  void accept(const Injection& injection, Ticket& ticket);
  void hand_over(Ticket& ticket);
  void complete(Ticket& ticket);
  bool drain_until_idle(HandleValue handle);  // false: nothing moves any more

  Host& host_;
  kernel::Scheduler& scheduler_;
  InjectionHandles handles_;
  Tickets tickets_;
  IpHeaderBuilder ip_headers_;
  std::function<bool()> progress_;
  DirectionCounters inbound_, outbound_;
  std::atomic<std::uint64_t> zero_endpoint_{0}, too_many_hops_{0};
};

}  // namespace wfp::inject
