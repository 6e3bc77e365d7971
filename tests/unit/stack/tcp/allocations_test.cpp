// What segments cost in heap allocations once a connection is under way: only the blocks that received bytes lie in, each
// of which serves several segments.
#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace {

std::atomic<std::size_t> allocations{0};

void* count_and_allocate(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

// Of the whole test program.
void* operator new(std::size_t size) { return count_and_allocate(size); }
void* operator new[](std::size_t size) { return count_and_allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace stack::tcp::test {
namespace {

class Allocations : public TcpScript {
 protected:
  // Reads when it is told to, as services do.
  struct Reader final : Endpoint::Observer {
    explicit Reader(Endpoint& from) : endpoint(from) {}
    void on_connected() override {}
    void on_readable() override {
      ++readable;
      std::array<std::byte, 16> buffer;
      while (const auto got = endpoint.read(buffer).count) bytes += got;
    }
    void on_writable() override {}
    void on_failed(Error) override {}
    Endpoint& endpoint;
    std::size_t bytes = 0;
    int readable = 0;
  };
  // One byte comes in and is read, and the queues are run twice, as the loop does.
  std::size_t cost_of_one_byte(std::uint32_t at) {
    Packet packet = make_packet(data(at, 1));
    const auto before = allocations.load();
    tcp->receive(std::move(packet), now);
    poll();
    poll();
    return allocations.load() - before;
  }
};

TEST_F(Allocations, AReceivedByteTakesNoneInTheQueuesOfThePoll) {
  established({});
  sender.records = false;
  const auto reader = std::make_shared<Reader>(*endpoint);
  endpoint->set_observer(reader);
  std::size_t settled = 0;
  constexpr std::uint32_t kWarmUp = 8, kBytes = 100;
  for (std::uint32_t i = 1; i <= kWarmUp; ++i) cost_of_one_byte(i);
  for (std::uint32_t i = kWarmUp + 1; i <= kWarmUp + kBytes; ++i) settled += cost_of_one_byte(i);
  EXPECT_LE(settled, kBytes / 4) << "the receive queue's blocks may come now and then, a queue of the poll never";
  EXPECT_EQ(reader->readable, static_cast<int>(kWarmUp + kBytes));
  EXPECT_EQ(reader->bytes, kWarmUp + kBytes);
}

}  // namespace
}  // namespace stack::tcp::test
