// How packets from outside come in (stack/hooks/injector.hpp): a bounded queue, worked off by Stack::poll. Receives
// re-enter at the bottom of the IP path, sends at the top. Each pass counts; beyond Config::injection_hop_limit a
// packet is dropped.
#pragma once

#include "stack/base/ring.hpp"
#include "stack/hooks/injector.hpp"
#include "stack/ip/endpoint_table.hpp"
#include "stack/ip/input.hpp"
#include "stack/udp/udp.hpp"

namespace stack::core {

struct Config;

class InjectionQueue final : public Injector {
 public:
  struct Parts {
    const ip::IpParts& ip;
    ip::Input& input;
    ip::Output& output;
    udp::Udp& udp;
    ip::EndpointTable& endpoints;
    const Config& config;
  };
  explicit InjectionQueue(const Parts& parts);

  void receive(Packet packet, InterfaceIndex interface_index) override;
  void send_transport(Packet packet, EndpointId endpoint, const IpAddress& remote, std::uint8_t protocol) override;
  void send_network(Packet packet) override;

  std::size_t drain(std::size_t limit, Instant now);
  bool empty() const { return queue_.empty(); }
  // Not bound to any tuple; for those who must answer for packets without an endpoint.
  EndpointId control_endpoint() const { return control_.facts.endpoint; }
  void close();  // drops what waits

 private:
  enum class Path : std::uint8_t { Receive, Transport, Network };
  struct Entry {
    Path path{};
    Packet packet;
    InterfaceIndex interface_index = 0;
    EndpointId endpoint;
    IpAddress remote;
    std::uint8_t protocol = 0;
  };
  void enqueue(Entry entry);
  bool mark(Packet& packet);  // false: too many hops
  void run_receive(Entry entry, Instant now);
  void run_transport(Entry entry, Instant now);
  // The source that an injection for this endpoint has for itself; the route decides where there is none.
  std::optional<IpAddress> source_for(const Entry& entry, const ip::EndpointRecord& record) const;

  Parts parts_;
  Ring<Entry> queue_;
  ip::EndpointRecord control_;
};

}  // namespace stack::core
