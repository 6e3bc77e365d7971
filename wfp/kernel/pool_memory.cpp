#include "wfp/kernel/pool_memory.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <utility>

#include "wfp/kernel/report.hpp"
#include "wfp/ledger/rules.hpp"
#include "wfp/ledger/violation.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define KERNEL_POOL_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KERNEL_POOL_ASAN 1
#endif
#endif
#ifdef KERNEL_POOL_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

namespace wfp::kernel {

namespace {

constexpr std::size_t kRedZone = 16;       // behind the block
constexpr std::size_t kFrontRedZone = 24;  // before it: fills the header up to a cache line
constexpr std::size_t kCacheLine = 64;
constexpr std::uint8_t kRedByte = 0xfd, kFreedByte = 0xdd, kFreshByte = 0xcd;
constexpr std::uint64_t kMagic = 0x77667074706f6f6cu;

// The first byte that is not `value`, or null.
const std::uint8_t* first_other(const std::uint8_t* from, std::size_t size, std::uint8_t value) {
  const auto* end = from + size;
  const auto* found = std::find_if(from, end, [=](std::uint8_t byte) { return byte != value; });
  return found == end ? nullptr : found;
}

void report_block(ledger::rule::Id rule, const void* memory, std::string message,
                  std::vector<ledger::Origin> origins) {
  ledger::Violation violation;
  violation.rule = rule;
  violation.message = std::move(message);
  violation.kind = ledger::Kind::pool_allocation;
  violation.about = memory;
  violation.origins = std::move(origins);
  ledger::report(std::move(violation));
}

}  // namespace

struct alignas(kCacheLine) PoolMemory::Block {
  std::uint64_t magic;
  std::size_t size;
  ULONG tag;
  ledger::DriverId driver;
  std::array<char, 8> tag_name;  // for the ledger, which keeps a pointer to it
  std::size_t total;             // bytes allocated from the C library
  std::array<std::uint8_t, kFrontRedZone> red;

  std::uint8_t* bytes() { return reinterpret_cast<std::uint8_t*>(this + 1); }
  const std::uint8_t* bytes() const { return reinterpret_cast<const std::uint8_t*>(this + 1); }
  static Block* of(void* memory) { return static_cast<Block*>(memory) - 1; }
};

std::string tag_text(ULONG tag) {
  std::string out;
  for (unsigned shift = 0; shift < 32; shift += 8) {
    const char c = static_cast<char>(tag >> shift & 0xff);
    out.push_back(c >= ' ' && c < 0x7f ? c : '.');
  }
  return out;
}

namespace {

// Red zones on both sides; what is between them is zeroed, or filled so that a read of it shows.
void paint(PoolMemory::Block& block, bool zeroed, ledger::Level level) {
  if (zeroed)
    std::memset(block.bytes(), 0, block.size);
  else if (level == ledger::Level::full)
    std::memset(block.bytes(), kFreshByte, block.size);
  block.red.fill(kRedByte);
  std::memset(block.bytes() + block.size, kRedByte, kRedZone);
  ASAN_POISON_MEMORY_REGION(block.red.data(), kFrontRedZone);
  ASAN_POISON_MEMORY_REGION(block.bytes() + block.size, kRedZone);
}

}  // namespace

void* PoolMemory::allocate(std::size_t size, ULONG tag, bool zeroed) {
  static_assert(sizeof(Block) == kCacheLine);  // so every block is aligned to a cache line
  const std::size_t total = (sizeof(Block) + size + kRedZone + kCacheLine - 1) / kCacheLine * kCacheLine;
  auto* block = total < size ? nullptr : take_memory(size, total);
  if (block == nullptr) {
    failures_.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
  }
  block->magic = kMagic;
  block->size = size;
  block->tag = tag;
  block->driver = ledger::current_driver();
  block->tag_name = {};
  tag_text(tag).copy(block->tag_name.data(), 4);
  block->total = total;
  const auto level = ledger::level();
  paint(*block, zeroed, level);
  enter(*block, level);
  return block->bytes();
}

// Null: the limit is reached, or the C library has none.
PoolMemory::Block* PoolMemory::take_memory(std::size_t size, std::size_t total) {
  Block* block = nullptr;
  if (bytes_in_use_.fetch_add(size, std::memory_order_relaxed) + size <= limit_bytes_)
    block = static_cast<Block*>(std::aligned_alloc(kCacheLine, total));
  if (block == nullptr) bytes_in_use_.fetch_sub(size, std::memory_order_relaxed);
  return block;
}

void PoolMemory::enter(Block& block, ledger::Level level) {
  if (block.driver != ledger::kNoDriver) {
    ledger::acquire(ledger::Kind::pool_allocation, block.bytes(), block.tag_name.data(), block.size);
  } else if (level != ledger::Level::off) {
    const std::lock_guard lock(lock_);
    unowned_.insert(block.bytes());
  }
  if (level == ledger::Level::off) allocated_unseen_.store(true, std::memory_order_relaxed);
}

// True when the memory is a live block as far as is known; reports otherwise.
bool PoolMemory::may_free(void* memory) {
  if (ledger::release(ledger::Kind::pool_allocation, memory) == ledger::Release::ok) return true;
  if (ledger::level() == ledger::Level::off) return memory != nullptr;
  std::string earlier;
  {
    const std::lock_guard lock(lock_);
    if (unowned_.erase(memory) != 0) return true;
    if (allocated_unseen_.load(std::memory_order_relaxed) && memory != nullptr) return true;
    for (const Freed& freed : recent_)
      if (freed.memory == memory && memory != nullptr)
        earlier = "; it was freed before, with tag '" + tag_text(freed.tag) + "', allocated by " +
                  (freed.driver == ledger::kNoDriver ? "no driver" : ledger::driver_name(freed.driver));
  }
  report_block(ledger::rule::kPoolFree, memory,
               text("%p was freed but is no live pool block", memory) +
                   (earlier.empty() ? "; was it allocated from the pool?" : earlier),
               ledger::history_of(ledger::Kind::pool_allocation, memory));
  return false;
}

// After the ledger struck it out: its history begins where it was allocated.
void PoolMemory::check_on_free(const Block& block, const void* memory, ULONG tag) {
  const auto report = [memory](ledger::rule::Id rule, std::string message) {
    auto origins = ledger::history_of(ledger::Kind::pool_allocation, memory);
    if (origins.size() > 1) origins.resize(1);  // the release is this call
    report_block(rule, memory, std::move(message), std::move(origins));
  };
  if (tag != 0 && tag != block.tag)
    report(ledger::rule::kPoolTag, text("%p was freed with tag '%s' but allocated with '%s'", memory,
                                        tag_text(tag).c_str(), block.tag_name.data()));
  if (const auto* at = first_other(block.red.data(), kFrontRedZone, kRedByte); at != nullptr)
    report(ledger::rule::kPoolOverrun,
           text("%zu bytes before block %p (tag '%s') were overwritten", static_cast<std::size_t>(block.bytes() - at),
                memory, block.tag_name.data()));
  if (const auto* at = first_other(block.bytes() + block.size, kRedZone, kRedByte); at != nullptr)
    report(ledger::rule::kPoolOverrun,
           text("block %p (tag '%s', %zu bytes) was written past its end, first at offset %zu", memory,
                block.tag_name.data(), block.size, static_cast<std::size_t>(at - block.bytes())));
}

void PoolMemory::free(void* memory, ULONG tag) {
  if (!may_free(memory)) return;
  Block* block = Block::of(memory);
  if (block->magic != kMagic) {
    report_violation(ledger::rule::kPoolFree, text("%p was freed but is no pool block", memory));
    return;
  }
  ASAN_UNPOISON_MEMORY_REGION(block, block->total);
  bytes_in_use_.fetch_sub(block->size, std::memory_order_relaxed);
  if (ledger::level() == ledger::Level::off) {
    block->magic = 0;
    std::free(block);
    return;
  }
  check_on_free(*block, memory, tag);
  remember_free(memory, *block);
  block->magic = 0;
  if (ledger::level() == ledger::Level::full)
    quarantine(block);
  else
    std::free(block);
}

void PoolMemory::remember_free(const void* memory, const Block& block) {
  const std::lock_guard lock(lock_);
  unowned_.erase(memory);
  recent_[next_recent_] = {memory, block.tag, block.driver};
  next_recent_ = (next_recent_ + 1) % kRecentFrees;
}

void PoolMemory::quarantine(Block* block) {
  std::memset(block->bytes(), kFreedByte, block->size);
  ASAN_POISON_MEMORY_REGION(block->bytes(), block->size + kRedZone);
  Quarantined entered{block, ledger::history_of(ledger::Kind::pool_allocation, block->bytes())};
  std::vector<Quarantined> out;
  {
    const std::lock_guard lock(lock_);
    quarantine_.push_back(std::move(entered));
    quarantine_bytes_ += block->total;
    while (quarantine_bytes_ > kQuarantineBytes && !quarantine_.empty()) {
      quarantine_bytes_ -= quarantine_.front().block->total;
      out.push_back(std::move(quarantine_.front()));
      quarantine_.pop_front();
    }
  }
  for (Quarantined& old : out) dispose(old);
}

void PoolMemory::sweep(ledger::DriverId driver) {
  std::vector<Quarantined> out;
  {
    const std::lock_guard lock(lock_);
    const auto theirs =
        std::stable_partition(quarantine_.begin(), quarantine_.end(),
                              [driver](const Quarantined& one) { return one.block->driver != driver; });
    out.assign(std::move_iterator(theirs), std::move_iterator(quarantine_.end()));
    quarantine_.erase(theirs, quarantine_.end());
    for (const Quarantined& one : out) quarantine_bytes_ -= one.block->total;
  }
  for (Quarantined& one : out) dispose(one);
}

// The end of a block's quarantine: has someone written to it since it was freed?
void PoolMemory::dispose(Quarantined& one) {
  Block* const block = one.block;
  ASAN_UNPOISON_MEMORY_REGION(block, block->total);
  const ledger::DriverScope whose(block->driver);  // another driver's free may have pushed it out
  if (const auto* at = first_other(block->bytes(), block->size, kFreedByte); at != nullptr)
    report_block(ledger::rule::kPoolUseAfterFree, nullptr,
                 text("block %p (tag '%s', %zu bytes) was written after it was freed, first at offset %zu",
                      static_cast<const void*>(block->bytes()), block->tag_name.data(), block->size,
                      static_cast<std::size_t>(at - block->bytes())),
                 std::move(one.history));
  std::free(block);
}

PoolMemory::~PoolMemory() {
  for (Quarantined& one : quarantine_) dispose(one);
}

std::vector<PoolLeak> PoolMemory::leaks(ledger::DriverId driver) {
  std::map<std::string, PoolLeak> by_tag;
  if (ledger::alive_count(driver, ledger::Kind::pool_allocation) == 0) return {};
  for (const ledger::Sample& sample : ledger::alive(driver, SIZE_MAX).samples) {
    if (sample.kind != ledger::Kind::pool_allocation) continue;
    PoolLeak& leak = by_tag[sample.detail];
    leak.tag = sample.detail;
    ++leak.count;
    leak.bytes += sample.bytes;
  }
  std::vector<PoolLeak> out;
  for (auto& [tag, leak] : by_tag) out.push_back(std::move(leak));
  return out;
}

}  // namespace wfp::kernel
