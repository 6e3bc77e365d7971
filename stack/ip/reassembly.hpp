// Puts IP fragments together (RFC 791, RFC 815, RFC 8200 4.5). A datagram with overlapping fragments is dropped whole
// (RFC 5722, which we follow for IPv4, too); an exact duplicate is dropped alone. Bounded in datagrams, bytes and
// fragments, and by the account: the oldest datagrams make room. Fragments are copied, so that none holds what it came in. What waits too long is given up. Used on the stack's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <unordered_map>
#include <vector>

#include "stack/base/hash.hpp"
#include "stack/base/time.hpp"
#include "stack/hooks/hooks.hpp"
#include "stack/ip/ip_header.hpp"
#include "stack/packet/kept_packet.hpp"

namespace stack::ip {

struct ReassemblyConfig {
  std::size_t max_datagrams = 256;
  std::size_t max_bytes = 4 << 20;           // of payload that waits
  std::size_t max_waiting_fragments = 4096;  // of all datagrams
  std::size_t max_fragments = 128;           // of one datagram
  Duration timeout_v4 = 30s;                 // RFC 791 3.2 says 15 s at least, RFC 1122 3.3.2 up to 120 s
  Duration timeout_v6 = 60s;                 // RFC 8200 4.5
};

class Reassembly {
 public:
  // A datagram that timed out with its first fragment there: an ICMP time exceeded is owed. Data at the IP header.
  using TimeoutHandler = std::function<void(const Packet& first_fragment, Instant now)>;

  Reassembly(PacketPool& pool, Teller& teller, Hooks& hooks, SipKey key, ReassemblyConfig config,
             TimeoutHandler on_timeout);

  // Takes a fragment: data at its payload, `header` its parse, the IP header just before the data. Gives back the
  // whole datagram, data at an IP header without any trace of fragmentation, when this was the last missing piece.
  Packet add(Packet fragment, const IpHeader& header, Instant now);
  // Bytes of the datagram's payload when its end is known, else 0. For the hook's facts.
  std::uint32_t known_size(const IpHeader& header) const;

  void expire(Instant now);
  Instant next_deadline() const;
  std::size_t datagrams() const { return table_.size(); }
  std::size_t bytes() const { return bytes_; }
  std::size_t fragments() const { return fragments_; }
  void clear();

 private:
  struct Key {
    IpAddress source, destination;
    std::uint32_t id = 0;
    std::uint8_t protocol = 0;  // IPv4; for IPv6 source, destination and id are the name
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    SipKey key;
    std::size_t operator()(const Key& value) const;
  };
  struct Fragment {
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
    KeptPacket packet;
  };
  struct Datagram {
    std::vector<Fragment> fragments;  // in order of offset
    std::uint32_t have = 0;           // bytes
    std::uint32_t total = 0;          // bytes; 0: the last fragment has not come
    IpHeader first;                   // of the fragment at offset 0, when that is there
    bool poisoned = false;            // overlapped: everything more of it is dropped until it expires
    Instant expires;
    std::list<Key>::iterator age;
  };
  static Key key_of(const IpHeader& header);
  Datagram* find_or_make(const Key& key, const IpHeader& header, Instant now);
  // What is wrong with it; empty when it was taken.
  std::optional<Drop> insert(Datagram& datagram, Packet& packet, const IpHeader& header);
  Result<Packet> assemble(Datagram& datagram);
  bool is_over_limit() const { return bytes_ > config_.max_bytes || fragments_ > config_.max_waiting_fragments; }
  void drop_fragments(Datagram& datagram, Drop reason);
  void erase(const Key& key, Drop reason);

  PacketPool& pool_;
  Keeping keeping_;
  Hooks& hooks_;
  ReassemblyConfig config_;
  TimeoutHandler on_timeout_;
  std::unordered_map<Key, Datagram, KeyHash> table_;
  std::list<Key> ages_;        // oldest first
  std::size_t bytes_ = 0;      // of all datagrams, as are
  std::size_t fragments_ = 0;  // these
};

}  // namespace stack::ip
