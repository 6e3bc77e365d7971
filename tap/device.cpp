#include "tap/device.hpp"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>

namespace tap {
namespace {

constexpr char kDevicePath[] = "/dev/net/tun";
constexpr unsigned kUso4 = 0x20;  // TUN_F_USO4 and TUN_F_USO6: younger than Debian 12's headers
constexpr unsigned kUso6 = 0x40;

std::string_view advice_for_open(int code) {
  switch (code) {
    case ENOENT:
    case ENODEV:
      return "the tun driver is missing: try `modprobe tun`, or pass /dev/net/tun into the container";
    case EACCES:
    case EPERM:
      return "its mode or the container keeps you out: run as root, or have it opened for all (chmod 666 "
             "/dev/net/tun)";
    default:
      return {};
  }
}

std::string_view advice_for_attach(int code) {
  switch (code) {
    case EBUSY:
      return "another program holds it, or it was made without several queues: choose another name";
    case EINVAL:
      return "a device of that name exists with other flags, or the name is not valid: choose another name";
    case EPERM:
      return "needs CAP_NET_ADMIN in the user namespace that owns this network namespace";
    case E2BIG:
      return "more queues than the driver has";
    default:
      return {};
  }
}

// A device that is up has a carrier while a program holds a queue of it. One more queue would be granted, and the kernel
// would share the frames out between the two programs.
bool is_in_use(const std::string& name) {
  const FileDescriptor socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  ifreq request{};
  std::memcpy(request.ifr_name, name.c_str(), name.size());
  return ::ioctl(socket.get(), SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_RUNNING) != 0;
}

unsigned to_flags(const Offloads& offloads) {
  unsigned flags = 0;
  if (offloads.checksum) flags |= TUN_F_CSUM;
  if (offloads.tso4) flags |= TUN_F_TSO4;
  if (offloads.tso6) flags |= TUN_F_TSO6;
  if (offloads.tso_ecn) flags |= TUN_F_TSO_ECN;
  if (offloads.uso) flags |= kUso4 | kUso6;
  return flags;
}

// Everything rests on the checksum, and the ECN bit on a TSO: the driver ignores or refuses other combinations.
Offloads normalised(Offloads wanted) {
  if (!wanted.checksum) return Offloads::none();
  if (!wanted.tso4 && !wanted.tso6) wanted.tso_ecn = false;
  return wanted;
}

// What to try in turn, each asking for less than the one before.
std::array<Offloads, 4> fallbacks(const Offloads& wanted) {
  Offloads without_uso = wanted;
  without_uso.uso = false;
  Offloads without_ecn = without_uso;
  without_ecn.tso_ecn = false;
  return {wanted, without_uso, without_ecn, Offloads{.checksum = wanted.checksum}};
}

}  // namespace

Result<Device> Device::open(const DeviceOptions& options) {
  if (options.queues == 0 || options.queues > kMaxQueues)
    return make_error(EINVAL, "opening " + options.name + " with " + std::to_string(options.queues) + " queues",
                      "choose 1 to " + std::to_string(kMaxQueues));
  if (options.name.empty() || options.name.size() >= IFNAMSIZ)
    return make_error(EINVAL, "opening '" + options.name + "'", "an interface name has 1 to 15 characters");
  if (is_in_use(options.name))
    return make_error(EBUSY, "making the device " + options.name, advice_for_attach(EBUSY));

  Device device;
  device.medium_ = options.medium;
  device.name_ = options.name;
  for (std::size_t i = 0; i < options.queues; ++i) {
    if (Error error = device.open_queue(options)) return error;
  }
  device.ifindex_ = ::if_nametoindex(device.name_.c_str());
  if (device.ifindex_ == 0) return make_error(errno, "looking up the index of " + device.name_);
  if (auto granted = device.set_offloads(options.offloads); !granted) return granted.error();
  return device;
}

Error Device::open_queue(const DeviceOptions& options) {
  FileDescriptor fd{::open(kDevicePath, O_RDWR | O_NONBLOCK | O_CLOEXEC)};
  if (!fd) return make_error(errno, "opening /dev/net/tun", advice_for_open(errno));

  ifreq request{};
  std::memcpy(request.ifr_name, name_.c_str(), name_.size());
  const int kind = options.medium == Medium::Ethernet ? IFF_TAP : IFF_TUN;
  request.ifr_flags = static_cast<short>(kind | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE);
  if (::ioctl(fd.get(), TUNSETIFF, &request) != 0)
    return make_error(errno, "making the device " + name_, advice_for_attach(errno));
  name_ = request.ifr_name;
  queues_.push_back(std::move(fd));
  if (queues_.size() == 1) return set_vnet_header_size(options.vnet_header_size);  // the device's, not the queue's
  return {};
}

Error Device::set_vnet_header_size(std::size_t wanted) {
  if (wanted != kVnetHeaderSizeShort && wanted != kVnetHeaderSize)
    return make_error(EINVAL, "virtio-net header of " + std::to_string(wanted) + " bytes", "choose 10 or 12");
  const int fd = queues_.front().get();
  int little_endian = 1;
  if (::ioctl(fd, TUNSETVNETLE, &little_endian) != 0 && std::endian::native != std::endian::little)
    return make_error(errno, "asking " + name_ + " for little-endian virtio-net headers");
  int size = static_cast<int>(wanted);
  if (::ioctl(fd, TUNSETVNETHDRSZ, &size) != 0) {
    notes_.push_back(name_ + ": virtio-net headers of 12 bytes refused, using 10");
    wanted = kVnetHeaderSizeShort;  // what the driver starts with
  }
  vnet_header_size_ = wanted;
  return {};
}

Result<Offloads> Device::set_offloads(const Offloads& wanted) {
  const Offloads asked = normalised(wanted);
  int code = 0;
  for (const Offloads& attempt : fallbacks(asked)) {
    if (::ioctl(queues_.front().get(), TUNSETOFFLOAD, static_cast<unsigned long>(to_flags(attempt))) != 0) {
      code = errno;
      continue;
    }
    offloads_ = attempt;
    if (attempt != wanted)
      notes_.push_back(name_ + ": offloads asked for: " + to_string(wanted) + "; granted: " + to_string(attempt));
    return attempt;
  }
  return make_error(code, "setting the offloads of " + name_ + " to " + to_string(wanted));
}

Error Device::set_carrier(bool on) {
  int value = on ? 1 : 0;
  if (::ioctl(queues_.front().get(), TUNSETCARRIER, &value) != 0)
    return make_error(errno, "setting the carrier of " + name_, "needs Linux 5.0");
  return {};
}

Error Device::set_queue_attached(std::size_t index, bool attached) {
  ifreq request{};
  request.ifr_flags = static_cast<short>(attached ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE);
  if (::ioctl(queues_.at(index).get(), TUNSETQUEUE, &request) != 0)
    return make_error(errno, (attached ? "attaching queue " : "detaching queue ") + std::to_string(index));
  return {};
}

}  // namespace tap
