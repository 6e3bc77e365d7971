// A node: one TAP (or TUN) device, one stack with callouts on it, and the thread that runs them, the processor.
//
// Node::create sets the device up and may need privileges; start() begins to move packets on a thread of its own.
// Everything in System belongs to that thread: others post(). stop() ends the thread; it must have ended before the
// node is destroyed.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "src/node/config.hpp"
#include "src/node/system.hpp"

namespace node {

// Sees every frame that crosses the device, as a capture wants it: in one piece, from the link header (Ethernet) or
// the IP header (TUN) on, checksums finished even where the device was asked to finish them. segment_size is the
// payload of each segment of a large TCP frame that stays in one piece, 0 for an ordinary frame. Called on the
// processor's thread.
class FrameObserver {
 public:
  virtual ~FrameObserver() = default;
  virtual void frame(stack::Direction direction, stack::Bytes bytes, std::uint32_t segment_size,
                     stack::Instant now) = 0;
};

// What became of frames at the device, before and after the stack.
struct LinkCounts {
  std::uint64_t received_in_place = 0;  // large frames, without a copy
  std::uint64_t received_copied = 0;    // small ones, and large ones when the reserve was used up
  std::uint64_t reserve_exhausted = 0;
  std::uint64_t receive_no_memory = 0;  // lost, because callouts keep too many
  std::uint64_t receive_malformed = 0;  // refused by the device layer: truncated, or a bad virtio-net header
  std::uint64_t transmit_refused = 0;   // the queue was full
  std::uint64_t transmit_failed = 0;    // the device refused the frame after it was queued
};

class Node {
 public:
  // Null on failure, with `error` saying what was wrong and what to do. `observer` may be null; it outlives the node.
  static std::unique_ptr<Node> create(const Config& config, SystemParties parties, FrameObserver* observer,
                                      std::string& error);
  ~Node();

  // Called once, on the processor's thread, when the device has gone: nothing is received or sent any more. `error` is
  // an errno value. Before start().
  void set_device_lost_handler(std::function<void(int error)> handler);
  int device_error() const;  // 0 while there is a device; on the processor's thread

  void start();  // throws std::system_error when the OS has no thread left
  void stop();
  // Waits until the link runs and every address, the stack's and the host's, is usable. False after the timeout.
  bool wait_until_usable(std::chrono::milliseconds timeout);

  // Runs a task on the processor's thread, between packets. [any thread]
  void post(std::function<void(System&)> task);
  // The same, and waits for its result. Not on the processor's thread.
  template <typename F>
  auto call(F&& f) -> std::invoke_result_t<F, System&> {
    using R = std::invoke_result_t<F, System&>;
    std::packaged_task<R(System&)> task(std::forward<F>(f));
    auto result = task.get_future();
    post([&task](System& system) { task(system); });
    return result.get();
  }

  // Waits, at most `timeout`, until no packet, injection or DPC has been under way for a moment. [any other thread]
  bool drain(std::chrono::milliseconds timeout);

  // Readiness of another descriptor, reported on the processor's thread. Call on that thread. False: too many.
  bool watch(int fd, short events, std::function<void(short events)> callback);
  void unwatch(int fd);

  struct Features {        // what was probed at start
    std::string io;        // "io_uring" or "epoll", with the reason when it is not the first choice
    std::string offloads;  // what the device granted
    std::string medium;
    std::string device;
  };
  const Features& features() const;
  const LinkCounts& link_counts() const;  // on the processor's thread

 private:
  struct Impl;
  explicit Node(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace node
