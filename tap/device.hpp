// A TAP (Ethernet) or TUN (raw IP) device: opening it, its queues, its offloads, its carrier. Not for it: addresses
// and link state (netlink.hpp), moving frames (frame_io.hpp). Every queue is one non-blocking descriptor that the
// device owns; it disappears with the last of them. The device lives in the network namespace in which it was opened.
// Any thread may call, one at a time.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tap/error.hpp"
#include "tap/file_descriptor.hpp"
#include "tap/offload.hpp"

namespace tap {

enum class Medium { Ethernet, RawIp };

inline constexpr std::size_t kMaxQueues = 64;

struct DeviceOptions {
  std::string name = "wfp0";  // at most 15 bytes; a trailing %d lets the kernel number it
  Medium medium = Medium::Ethernet;
  std::size_t queues = 1;                          // 1 to kMaxQueues
  std::size_t vnet_header_size = kVnetHeaderSize;  // 10 or 12
  Offloads offloads = Offloads::all();
};

class Device {
 public:
  static Result<Device> open(const DeviceOptions& options);

  const std::string& name() const { return name_; }
  unsigned ifindex() const { return ifindex_; }
  Medium medium() const { return medium_; }
  std::size_t queue_count() const { return queues_.size(); }
  int queue_fd(std::size_t index) const { return queues_.at(index).get(); }
  std::size_t vnet_header_size() const { return vnet_header_size_; }

  // What the kernel granted, at most what was asked; what it refused is named in notes().
  const Offloads& offloads() const { return offloads_; }
  // Asks anew for the whole device. Frames that the kernel has queued already keep their form, so large ones may
  // still arrive for a while. Returns what was granted.
  Result<Offloads> set_offloads(const Offloads& wanted);

  Error set_carrier(bool on);
  // A detached queue gets no frames from the kernel; its descriptor stays.
  Error set_queue_attached(std::size_t index, bool attached);

  // One line for each thing asked for and not granted; for the log.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  Device() = default;
  Error open_queue(const DeviceOptions& options);
  Error set_vnet_header_size(std::size_t wanted);

  std::string name_;
  unsigned ifindex_ = 0;
  Medium medium_ = Medium::Ethernet;
  std::size_t vnet_header_size_ = 0;
  Offloads offloads_;
  std::vector<FileDescriptor> queues_;
  std::vector<std::string> notes_;
};

}  // namespace tap
