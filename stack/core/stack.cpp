#include "stack/core/stack.hpp"

#include <algorithm>

#include "stack/core/injection.hpp"
#include "stack/core/interface.hpp"
#include "stack/core/run_queue.hpp"
#include "stack/tcp/tcp.hpp"
#include "stack/wire/icmpv4.hpp"
#include "stack/wire/icmpv6.hpp"
#include "stack/wire/ndp.hpp"
#include "stack/wire/tcp.hpp"
#include "stack/wire/udp.hpp"

namespace stack::core {
namespace {

SipKey make_key(RandomSource& random) { return {random.next(), random.next()}; }

Parties checked(Parties parties) {
  CHECK(parties.random != nullptr);
  return parties;
}

Config with_owner(Config config) {
  if (config.system_owner == nullptr) config.system_owner = std::make_shared<const Owner>();
  return config;
}

// Packets that may wait, by what the account allows each of those who keep any.
std::size_t kept_packets(const Account& account) {
  const std::size_t bytes =
      account.most(Use::Datagrams) + account.most(Use::Fragments) + account.most(Use::Neighbors);
  return bytes / PacketPool::charge_of(0);
}

}  // namespace

// In the order of construction: what stands below uses what stands above, and goes first.
struct Stack::Impl final : ip::NdpReceiver {
  Impl(const Config& given, Parties given_parties, Instant start)
      : config(with_owner(given)),
        parties(checked(std::move(given_parties))),
        account(parties.memory != nullptr ? parties.memory : std::make_shared<Account>(given.receive_memory)),
        teller(std::make_shared<Teller>(account)),
        now(start),
        run_queue(parties.wake),
        hooks(stats),
        pool(kept_packets(*account) + config.packet_limit),
        endpoints(config.endpoint_limit),
        path_mtus(make_key(*parties.random)),
        parts{hooks, pool, *parties.random, run_queue, interfaces, addresses, routes, path_mtus, transports, *teller},
        output(parts),
        icmp_reply(parts, output, config.icmp_errors_per_second, config.icmp_error_burst),
        input(parts, icmp_reply, make_key(*parties.random), config.reassembly),
        loopback(kLoopbackInterface, hooks, config.loopback_offload),
        icmp(parts, output, endpoints, path_mtus, *this, config.system_owner, make_key(*parties.random), config.icmp),
        udp(parts, output, icmp_reply, endpoints, make_key(*parties.random), config.udp, now),
        tcp(config.tcp, {output, hooks, pool, *parties.random, endpoints, addresses, teller}),
        injections({parts, input, output, udp, endpoints, config}) {
    interfaces.add(loopback);
    transports.set(wire::kProtocolIcmp, &icmp);
    transports.set(wire::kProtocolIcmpv6, &icmp);
    transports.set(wire::kProtocolUdp, &udp);
    transports.set(wire::kProtocolTcp, &tcp);
  }

  void on_ndp(Bytes message, const PacketMeta& meta, Instant when) override {
    if (Interface* interface = find(meta.interface_index); interface != nullptr && interface->resolver() != nullptr)
      interface->resolver()->on_ndp(message, meta, when);
  }
  Interface* find(InterfaceIndex index) {
    return index <= kLoopbackInterface || index > cards.size() + 1 ? nullptr : cards[index - 2].get();
  }
  void run_loopback();
  void run_timers();

  Config config;
  Parties parties;
  std::shared_ptr<Account> account;
  std::shared_ptr<Teller> teller;  // sockets that outlive the stack give back through it
  Instant now;
  RunQueue run_queue;
  Stats stats;
  Hooks hooks;
  PacketPool pool;
  ip::EndpointTable endpoints;
  ip::InterfaceTable interfaces;
  ip::AddressTable addresses;
  ip::RouteTable routes;
  ip::PathMtuCache path_mtus;
  ip::TransportTable transports;
  ip::IpParts parts;
  ip::Output output;
  ip::IcmpReply icmp_reply;
  ip::Input input;
  LoopbackInterface loopback;
  std::vector<std::unique_ptr<Interface>> cards;
  ip::Icmp icmp;
  udp::Udp udp;
  tcp::Tcp tcp;
  InjectionQueue injections;
};

Stack::Stack(const Config& config, Parties parties, Instant now)
    : impl_(std::make_unique<Impl>(config, std::move(parties), now)) {}

// Sockets and queues first, while everything that hears of it still stands; then what they posted.
Stack::~Stack() {
  Impl& s = *impl_;
  s.injections.close();
  s.udp.close_all();
  for (const auto& card : s.cards) card->clear();
  s.input.clear();
  while (Packet packet = s.loopback.queue().pop()) s.hooks.discard(std::move(packet), Drop::Shutdown);
  s.run_queue.drain(s.config.tasks_per_poll);
}

// --- set-up ---

InterfaceIndex Stack::add_interface(Link& link, std::string name) {
  Impl& s = *impl_;
  if (s.interfaces.all().size() >= kMaxInterfaces) return 0;
  const auto index = static_cast<InterfaceIndex>(s.interfaces.all().size() + 1);
  const InterfaceParts parts{s.parts, s.output, s.input, s.config, s.parties.log};
  s.cards.push_back(std::make_unique<Interface>(index, std::move(name), link, parts, make_key(*s.parties.random)));
  s.interfaces.add(*s.cards.back());
  if (link.medium() == Medium::Ethernet && s.config.link_local_address)
    add_address(index, {wire::link_local_address(link.mac()), 64});
  return index;
}

bool Stack::add_address(InterfaceIndex interface_index, const IpPrefix& address) {
  Interface* interface = impl_->find(interface_index);
  return interface != nullptr && interface->add_address(address, impl_->now);
}

void Stack::remove_address(InterfaceIndex interface_index, const IpAddress& address) {
  if (Interface* interface = impl_->find(interface_index)) interface->remove_address(address);
}

bool Stack::add_route(const IpPrefix& destination, const std::optional<IpAddress>& gateway,
                      InterfaceIndex interface_index) {
  if (impl_->find(interface_index) == nullptr) return false;
  return impl_->routes.add({destination, gateway, interface_index});
}

bool Stack::join_group(InterfaceIndex interface_index, const IpAddress& group) {
  return group.is_multicast() && impl_->addresses.join(interface_index, group);
}

bool Stack::are_addresses_usable() const {
  return std::ranges::all_of(impl_->cards, [](const auto& card) { return card->are_addresses_usable(); });
}

// --- work ---

void Stack::receive(InterfaceIndex interface_index, Packet frame, Instant now) {
  impl_->now = std::max(impl_->now, now);
  Interface* interface = impl_->find(interface_index);
  CHECK(interface != nullptr);
  interface->receive(std::move(frame), impl_->now);
}

void Stack::Impl::run_loopback() {
  for (std::size_t i = 0; i < config.packets_per_poll; ++i) {
    Packet packet = loopback.queue().pop();
    if (!packet) return;
    packet.meta().received_at = now;
    input.receive(std::move(packet), now);
  }
}

void Stack::Impl::run_timers() {
  if (input.next_deadline() <= now) input.expire(now);
  if (path_mtus.next_deadline() <= now) path_mtus.expire(now);
  if (icmp.flows().next_deadline() <= now) icmp.flows().expire(now);
  if (udp.next_deadline() <= now) udp.expire(now);
  for (const auto& card : cards)
    if (card->next_deadline() <= now) card->on_timer(now);
}

void Stack::poll(Instant now) {
  Impl& s = *impl_;
  s.now = std::max(s.now, now);
  s.run_queue.set_own_thread();
  s.run_queue.drain(s.config.tasks_per_poll);
  s.injections.drain(s.config.packets_per_poll, s.now);
  s.run_loopback();
  s.run_timers();
  s.tcp.poll(s.now);
  for (const auto& card : s.cards) card->flush();
}

Instant Stack::next_deadline() const {
  const Impl& s = *impl_;
  if (!is_idle()) return s.now;
  Instant next = std::min({s.input.next_deadline(), s.path_mtus.next_deadline(), s.udp.next_deadline(),
                           s.tcp.next_deadline(), impl_->icmp.flows().next_deadline()});
  for (const auto& card : s.cards) next = std::min(next, card->next_deadline());
  return next;
}

// TCP's queued work shows as a deadline that has come.
bool Stack::is_idle() const {
  return impl_->run_queue.empty() && impl_->injections.empty() && impl_->loopback.queue().empty() &&
         impl_->tcp.next_deadline() > impl_->now;
}

Instant Stack::now() const { return impl_->now; }

// --- sockets ---

Stack::UdpResult Stack::open_udp(const SocketAddress& local, std::shared_ptr<const Owner> owner) {
  auto opened = impl_->udp.open(local, std::move(owner));
  return {UdpSocket{std::move(opened.endpoint)}, opened.error};
}

Stack::ListenResult Stack::listen_tcp(const SocketAddress& local, std::shared_ptr<const Owner> owner) {
  auto listened = impl_->tcp.listen(local, std::move(owner));
  return {TcpListener{std::move(listened.listener)}, listened.error};
}

Stack::ConnectResult Stack::connect_tcp(const SocketAddress& remote, const SocketAddress& local,
                                        std::shared_ptr<const Owner> owner) {
  const bool is_free = local.address.is_unspecified() && local.port == 0;
  auto connected = impl_->tcp.connect(remote, std::move(owner), is_free ? std::nullopt : std::optional{local});
  return {TcpStream{std::move(connected.endpoint)}, connected.error};
}

// --- hooks ---

Hooks& Stack::hooks() { return impl_->hooks; }
Injector& Stack::injector() { return impl_->injections; }
Executor& Stack::executor() { return impl_->run_queue; }
const Stats& Stack::stats() const { return impl_->stats; }
Account& Stack::memory() { return *impl_->account; }
Stack::SendMemory Stack::send_memory() const {
  return {impl_->tcp.send_memory_held(), impl_->tcp.config().send_memory};
}
const ip::EndpointTable& Stack::endpoints() const { return impl_->endpoints; }
EndpointId Stack::control_endpoint() const { return impl_->injections.control_endpoint(); }

void Stack::resume(Ticket ticket) {
  if (!impl_->tcp.resume(ticket) && !impl_->udp.resume(ticket)) impl_->icmp.flows().resume(ticket);
}

void Stack::abort_flow(FlowTag flow) {
  if (!impl_->tcp.abort_flow(flow) && !impl_->udp.abort_flow(flow)) impl_->icmp.flows().erase_flow(flow);
}

PacketPool& Stack::pool() { return impl_->pool; }
const ip::AddressTable& Stack::addresses() const { return impl_->addresses; }
const ip::RouteTable& Stack::routes() const { return impl_->routes; }
Interface* Stack::interface(InterfaceIndex interface_index) { return impl_->find(interface_index); }
ip::IpSender& Stack::output() { return impl_->output; }

}  // namespace stack::core
