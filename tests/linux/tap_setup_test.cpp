// The device and its set-up, and the choice of a FrameIo, against the kernel.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "tests/linux/tap_world.hpp"

namespace tap::test {
namespace {

TEST(TapSetUp, OpensWithQueuesAndOffloads) {
  in_private_network([] {
    auto device = Device::open({.name = "wfpt%d", .queues = 3});
    ASSERT_TRUE(device) << device.error().what;
    EXPECT_EQ(device->name(), "wfpt0");
    EXPECT_EQ(device->queue_count(), 3u);
    EXPECT_EQ(device->vnet_header_size(), kVnetHeaderSize);
    EXPECT_EQ(device->ifindex(), ::if_nametoindex("wfpt0"));
    EXPECT_TRUE(device->offloads().checksum && device->offloads().tso4 && device->offloads().tso6);
    EXPECT_EQ(device->offloads() == Offloads::all(), device->notes().empty());

    EXPECT_EQ(*device->set_offloads(Offloads::none()), Offloads::none());
    EXPECT_EQ(*device->set_offloads(Offloads::checksum_only()), Offloads::checksum_only());
    EXPECT_EQ(*device->set_offloads({.tso4 = true}), Offloads::none()) << "nothing without the checksum";
    EXPECT_FALSE(device->set_queue_attached(2, false));
    EXPECT_FALSE(device->set_queue_attached(2, true));
  });
}

TEST(TapSetUp, ErrorsSayWhatToDo) {
  in_private_network([] {
    EXPECT_EQ(Device::open({.name = "a-name-that-is-too-long"}).error().code, EINVAL);
    EXPECT_EQ(Device::open({.queues = 0}).error().code, EINVAL);
    EXPECT_EQ(Device::open({.queues = kMaxQueues + 1}).error().code, EINVAL);
    EXPECT_EQ(Device::open({.vnet_header_size = 11}).error().code, EINVAL);
    auto first = Device::open({.name = "wfpt0", .medium = Medium::RawIp});
    ASSERT_TRUE(first);
    const auto second = Device::open({.name = "wfpt0", .medium = Medium::Ethernet});
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().what.find("wfpt0"), std::string::npos);
    EXPECT_NE(second.error().what.find("choose another name"), std::string::npos) << second.error().what;
  });
}

TEST(TapSetUp, ADeviceThatAnotherProgramHoldsIsRefused) {
  in_private_network([] {
    const World world{false};
    const auto second = Device::open({.name = "wfp0"});
    ASSERT_FALSE(second) << "the kernel would share the frames out between the two";
    EXPECT_EQ(second.error().code, EBUSY);
    EXPECT_NE(second.error().what.find("another program holds it"), std::string::npos) << second.error().what;
  });
}

TEST(TapSetUp, StateReadsBackAsSet) {
  in_private_network([] {
    World world{false};
    Netlink& netlink = world.netlink();
    EXPECT_FALSE(netlink.set_mtu(world.ifindex(), 9000));
    const auto link = netlink.link(world.ifindex());
    ASSERT_TRUE(link) << link.error().what;
    EXPECT_EQ(link->name, "wfp0");
    EXPECT_EQ(link->mac, kKernelMac);
    EXPECT_EQ(link->mtu, 9000u);
    EXPECT_TRUE(link->is_up && link->is_running);
    const auto addresses = netlink.addresses(world.ifindex());
    ASSERT_TRUE(addresses);
    ASSERT_EQ(addresses->size(), 2u) << "no link-local address of the kernel's own making";
    for (const AddressState& address : *addresses) EXPECT_FALSE(address.is_tentative);
    EXPECT_FALSE(netlink.add_address(world.ifindex(), *parse_prefix("10.78.0.1/24"))) << "again is no error";
    EXPECT_FALSE(netlink.add_route(world.ifindex(), *parse_prefix("0.0.0.0/0"), *parse_prefix("10.78.0.2")));
    EXPECT_FALSE(netlink.add_route(world.ifindex(), *parse_prefix("::/0"), *parse_prefix("fd78::2")));
    EXPECT_TRUE(netlink.add_route(world.ifindex(), *parse_prefix("::/0"), *parse_prefix("10.78.0.2")));
    EXPECT_FALSE(netlink.remove_address(world.ifindex(), *parse_prefix("fd78::1/64")));
    EXPECT_EQ(netlink.addresses(world.ifindex())->size(), 1u);

    const Error error = netlink.set_mtu(world.ifindex(), 10);
    EXPECT_TRUE(error);
    EXPECT_NE(error.what.find("MTU"), std::string::npos) << error.what;
    EXPECT_TRUE(netlink.set_up(4711, true)) << "no such interface";
  });
}

TEST(TapSetUp, AddressesAreUsableAtOnce) {  // and the flags of the link survive: multicast is on
  in_private_network([] {
    World world{false};
    for (const int family : {AF_INET, AF_INET6}) {
      const FileDescriptor fd{::socket(family, SOCK_DGRAM, 0)};
      sockaddr_in v4 = to_address("10.78.0.1", 0);
      sockaddr_in6 v6{};
      v6.sin6_family = AF_INET6;
      ::inet_pton(AF_INET6, "fd78::1", &v6.sin6_addr);
      const int code = family == AF_INET ? ::bind(fd.get(), generic(v4), sizeof v4)
                                         : ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
      EXPECT_EQ(code, 0) << std::strerror(errno);
      ifreq request{};
      std::strcpy(request.ifr_name, "wfp0");
      ASSERT_EQ(::ioctl(fd.get(), SIOCGIFFLAGS, &request), 0);
      EXPECT_TRUE(request.ifr_flags & IFF_MULTICAST);
    }
  });
}

TEST(TapSetUp, WaitIsBoundedAndSaysWhatIsMissing) {
  in_private_network([] {
    World world{false};
    ASSERT_FALSE(world.netlink().set_up(world.ifindex(), false));
    const Error down = world.netlink().wait_until_usable(world.ifindex(), 10ms);
    EXPECT_EQ(down.code, ETIMEDOUT);
    EXPECT_NE(down.what.find("not up"), std::string::npos) << down.what;
    ASSERT_FALSE(world.netlink().set_up(world.ifindex(), true));
    ASSERT_FALSE(world.netlink().wait_until_usable(world.ifindex(), 5s));
    ASSERT_FALSE(world.device().set_carrier(false));
    const Error dark = world.netlink().wait_until_usable(world.ifindex(), 10ms);
    EXPECT_NE(dark.what.find("carrier"), std::string::npos) << dark.what;
    ASSERT_FALSE(world.device().set_carrier(true));
    EXPECT_FALSE(world.netlink().wait_until_usable(world.ifindex(), 5s));
  });
}

TEST(TapSetUp, LoopbackComesUp) {
  in_private_network([] {
    auto netlink = Netlink::open();
    ASSERT_TRUE(netlink);
    EXPECT_FALSE(netlink->link(1)->is_up);
    EXPECT_FALSE(netlink->set_loopback_up());
    EXPECT_TRUE(netlink->link(1)->is_up);
  });
}

// A container's seccomp profile that forbids io_uring: the probe says so, and the other kind takes its place.
TEST(TapSetUp, DeniedIoUringFallsBackToEpoll) {
  in_private_network([] {
    ASSERT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    std::array<sock_filter, 4> filter{
        sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program{.len = filter.size(), .filter = filter.data()};
    ASSERT_EQ(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
    const UringProbe probe = probe_io_uring();
    EXPECT_FALSE(probe.available);
    EXPECT_NE(probe.why.find("seccomp"), std::string::npos) << probe.why;
    World world{true};
    EXPECT_EQ(world.io().engine(), "epoll (" + probe.why + ")");
    world.send(echo_request());
    EXPECT_FALSE(world.wait_for([](const Received& r) { return is_echo_reply(r); }).empty());
  });
}

TEST(TapSetUp, NameIsFreeAgainAtOnce) {
  in_private_network([] {
    for (int i = 0; i < 5; ++i) {
      World world{probe_io_uring().available};
      world.io().poll(1ms);  // leaves something armed in the ring
      world.io().poll(1ms);
    }
  });
}

}  // namespace
}  // namespace tap::test
