#include "src/node/node.hpp"

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <system_error>
#include <utility>

#include "src/node/event_loop.hpp"
#include "src/node/outside.hpp"
#include "src/node/tap_link.hpp"
#include "stack/base/executor.hpp"
#include "stack/core/stack.hpp"
#include "tap/device.hpp"
#include "tap/netlink.hpp"
#include "wfp/kernel/real_scheduler.hpp"

namespace node {
namespace {

using stack::Duration;
using stack::Instant;

constexpr Duration kLongestWait = std::chrono::seconds{1};  // an idle thread looks around this often
constexpr int kRoundsPerFlush = 2;
constexpr auto kDrainPoll = std::chrono::milliseconds{2};
constexpr auto kQuiet = std::chrono::milliseconds{20};

tap::Offloads wanted_offloads(bool on) {
  auto offloads = on ? tap::Offloads::all() : tap::Offloads::none();
  offloads.uso = false;  // UDP super-frames are not cut by this stack
  return offloads;
}

tap::IpPrefix to_tap(const stack::IpPrefix& prefix) {
  tap::IpPrefix result;
  const auto bytes = prefix.address.bytes();
  std::transform(bytes.begin(), bytes.end(), result.bytes.begin(),
                 [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
  result.is_v6 = !prefix.address.is_v4();
  result.length = prefix.length;
  return result;
}

// Locally administered, unicast.
stack::MacAddress make_mac(stack::RandomSource& random) {
  stack::MacAddress mac;
  const std::uint64_t bits = random.next();
  for (std::size_t i = 0; i < mac.bytes.size(); ++i) mac.bytes[i] = static_cast<std::byte>(bits >> (8 * i));
  mac.bytes[0] = (mac.bytes[0] & std::byte{0xfc}) | std::byte{0x02};
  return mac;
}

}  // namespace

struct Node::Impl {
  Impl(const Config& wanted, tap::Device opened, tap::Netlink netlink_socket)
      : config(wanted),
        device(std::move(opened)),
        netlink(std::move(netlink_socket)),
        account(std::make_shared<stack::Account>(wanted.receive_memory)),
        impairment_random(wanted.seed) {}

  std::string set_up_host_side();
  void build(SystemParties parties, FrameObserver* observer);
  void run();
  void round();
  void set_receive_offloads(shim::CoalescingAllowed coalescing);
  bool is_idle() const { return system->is_idle() && link->is_idle(); }

  Config config;
  tap::Device device;
  tap::Netlink netlink;
  MachineClock clock;
  std::shared_ptr<stack::Account> account;  // of all processors
  stack::SeededRandom impairment_random;
  std::unique_ptr<EventLoop> loop;
  std::unique_ptr<TapLink> link;  // outlives the system, which sends through it
  std::unique_ptr<System> system;
  wfp::kernel::RealScheduler* scheduler = nullptr;  // the system's
  Features features;
  std::function<void(int)> device_lost;
  int device_error = 0;
  std::thread thread;
  std::atomic<bool> stopping{false};
};

std::string Node::Impl::set_up_host_side() {
  const unsigned index = device.ifindex();
  if (auto error = netlink.set_no_automatic_ipv6(index)) return error.what;
  if (auto error = netlink.set_mtu(index, config.mtu)) return error.what;
  for (const auto& address : config.host_addresses)
    if (auto error = netlink.add_address(index, to_tap(address))) return error.what;
  if (auto error = netlink.set_up(index, true)) return error.what;
  return {};
}

void Node::Impl::build(SystemParties parties, FrameObserver* observer) {
  parties.memory = account;
  using wfp::kernel::RealScheduler;
  auto owned_scheduler = std::make_unique<RealScheduler>(clock, 1, RealScheduler::Timers::Later);
  scheduler = owned_scheduler.get();
  system = std::make_unique<System>(
      config, parties, std::move(owned_scheduler), [this] { return to_stack_time(clock.now()); },
      [this] { loop->wake(); });
  TapLink::Settings settings;
  settings.medium = config.tun ? stack::Medium::RawIp : stack::Medium::Ethernet;
  settings.mtu = config.mtu;
  if (!config.tun) settings.mac = make_mac(*parties.random);
  settings.offloads = wanted_offloads(config.offload);
  settings.impairment = config.impairment;
  link = std::make_unique<TapLink>(loop->frames(), settings, account, impairment_random, observer);
  link->run_due(to_stack_time(clock.now()), [](stack::Packet) {});  // gives it the time of what attaching sends
  system->attach(*link);
  if (config.offload)
    system->set_coalescing_handler([this](shim::CoalescingAllowed allowed) { set_receive_offloads(allowed); });
}

void Node::Impl::set_receive_offloads(shim::CoalescingAllowed coalescing) {
  auto wanted = wanted_offloads(true);
  wanted.tso4 = coalescing.v4;
  wanted.tso6 = coalescing.v6;
  wanted.tso_ecn = coalescing.v4 || coalescing.v6;
  // Super-frames that are under way, and all of them should the device refuse, are cut by the stack instead.
  if (auto granted = device.set_offloads(wanted)) features.offloads = to_string(*granted);
}

std::unique_ptr<Node> Node::create(const Config& config, SystemParties parties, FrameObserver* observer,
                                   std::string& error) {
  tap::DeviceOptions options;
  options.name = config.device;
  options.medium = config.tun ? tap::Medium::RawIp : tap::Medium::Ethernet;
  options.offloads = wanted_offloads(config.offload);
  auto device = tap::Device::open(options);
  if (!device) return error = device.error().what, nullptr;
  auto netlink = tap::Netlink::open();
  if (!netlink) return error = netlink.error().what, nullptr;

  auto impl = std::make_unique<Impl>(config, std::move(*device), std::move(*netlink));
  if (error = impl->set_up_host_side(); !error.empty()) return nullptr;
  tap::FrameIoOptions io;
  io.fd = impl->device.queue_fd(0);
  io.vnet_header_size = impl->device.vnet_header_size();
  io.use_io_uring = config.io_uring;
  auto loop = EventLoop::create(io);
  if (!loop) return error = loop.error().what, nullptr;
  impl->loop = std::move(*loop);
  impl->build(parties, observer);
  impl->features = {.io = std::string{impl->loop->frames().engine()},
                    .offloads = to_string(impl->device.offloads()),
                    .medium = config.tun ? "tun" : "tap",
                    .device = impl->device.name()};
  return std::unique_ptr<Node>{new Node{std::move(impl)}};
}

Node::Node(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Node::~Node() { stop(); }

void Node::set_device_lost_handler(std::function<void(int)> handler) { impl_->device_lost = std::move(handler); }
int Node::device_error() const { return impl_->device_error; }

void Node::start() {
  if (!impl_->scheduler->start()) throw std::system_error(EAGAIN, std::generic_category());
  impl_->thread = std::thread{[this] { impl_->run(); }};
}

void Node::stop() {
  if (!impl_->thread.joinable()) return;
  impl_->stopping = true;
  impl_->loop->wake();
  impl_->thread.join();
}

void Node::Impl::run() {
  system->bind_thread();
  while (!stopping) round();
  system->poll(to_stack_time(clock.now()));  // what was posted before the stop still runs
  system->unbind_thread();
}

// One round: what is due runs, then the thread waits for frames, a wake-up or the next deadline.
void Node::Impl::round() {
  Instant next = stack::kNever;
  for (int i = 0; i < kRoundsPerFlush; ++i) {
    next = std::min(system->poll(to_stack_time(clock.now())), link->next_deadline());
    link->flush();
    if (system->is_idle()) break;  // what left may have been the last of an injection, which wants its completion
  }
  const Instant before = to_stack_time(clock.now());
  const Duration wait =
      next <= before || !system->is_idle() ? Duration{0} : std::min<Duration>(next - before, kLongestWait);
  const auto& completions = loop->run_once(wait);
  const Instant now = to_stack_time(clock.now());
  const auto deliver = [this, now](stack::Packet frame) { system->receive(std::move(frame), now); };
  link->process(completions, now, deliver);
  link->run_due(now, deliver);
  const int error = completions.device_error;
  if (error != 0 && std::exchange(device_error, error) == 0 && device_lost) device_lost(error);
}

void Node::post(std::function<void(System&)> task) {
  impl_->system->executor().post([system = impl_->system.get(), task = std::move(task)] { task(*system); });
}

bool Node::wait_until_usable(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  if (impl_->netlink.wait_until_usable(impl_->device.ifindex(), timeout)) return false;
  while (!call([](System& system) { return system.is_usable(); })) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(kDrainPoll);
  }
  return true;
}

// A frame that waits in the device's queue is not seen from here, so rest counts only when it has lasted a while.
bool Node::drain(std::chrono::milliseconds timeout) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + timeout;
  auto quiet_since = Clock::now();
  std::uint64_t frames_seen = 0;
  while (Clock::now() - quiet_since < kQuiet) {
    if (Clock::now() > deadline) return false;
    const auto [idle, frames] = call([this](System& system) {
      const auto& stats = system.stack().stats();
      return std::pair{impl_->is_idle(), stats.frames_received + stats.frames_sent};
    });
    if (!idle || std::exchange(frames_seen, frames) != frames) quiet_since = Clock::now();
    std::this_thread::sleep_for(kDrainPoll);
  }
  return true;
}

bool Node::watch(int fd, short events, std::function<void(short)> callback) {
  return !impl_->loop->watch(fd, events, std::move(callback));
}
void Node::unwatch(int fd) { impl_->loop->unwatch(fd); }

const Node::Features& Node::features() const { return impl_->features; }
const LinkCounts& Node::link_counts() const { return impl_->link->counts(); }

}  // namespace node
