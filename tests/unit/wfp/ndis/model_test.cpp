// Random sequences of operations on packets and their clones, against a string for each packet. What one packet does
// to its bytes must never show in another, offsets must stay true, and in the end every pool is empty.
#include <random>

#include "fixture.hpp"
#include "wfp/ndis/clone.hpp"
#include "wfp/ndis/offsets.hpp"

namespace wfp::ndis {
namespace {

class ModelTest : public NdisTest, public testing::WithParamInterface<unsigned> {
 protected:
  struct Tracked {
    NET_BUFFER_LIST* nbl;
    std::string data;        // what the packet must hold
    std::size_t pulled = 0;  // bytes that a retreat must show again
    std::string shown;       // those bytes, the nearest last
  };
  static constexpr std::size_t kMost = 12;
  static constexpr std::size_t kLongest = 6000;

  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }
  std::string letters(std::size_t count) {
    std::string text(count, ' ');
    for (auto& letter : text) letter = static_cast<char>('a' + below(26));
    return text;
  }
  Tracked& any() { return packets_[below(packets_.size())]; }

  void create() {
    if (packets_.size() == kMost) return;
    const std::string text = letters(below(3000));
    if (below(2) == 0) {
      packets_.push_back({make(text, below(100)), text, 0, {}});
    } else {
      packets_.push_back({pool_.adopt(block_of_text("...." + text), 4, text.size()), text, 0, {}});
    }
  }
  void copy() {
    if (packets_.size() == kMost || packets_.empty()) return;
    const Tracked from = any();
    NET_BUFFER_LIST* const nbl = clone(*from.nbl, pool_);
    ASSERT_NE(nbl, nullptr);
    packets_.push_back({nbl, from.data, from.pulled, from.shown});
  }
  void drop() {
    if (packets_.empty()) return;
    const auto at = static_cast<std::ptrdiff_t>(below(packets_.size()));
    release(*packets_[static_cast<std::size_t>(at)].nbl);
    packets_.erase(packets_.begin() + at);
  }
  void add(Tracked& packet) {
    if (packet.data.size() > kLongest) return;
    const std::string text = letters(1 + below(500));
    ASSERT_TRUE(append(*packet.nbl, block_of_text("##" + text), 2, text.size()));
    packet.data += text;
  }
  void put_header(Tracked& packet) {
    const std::string text = letters(1 + below(60));
    std::byte* const first = push(*packet.nbl, text.size());
    ASSERT_NE(first, nullptr);
    std::copy_n(reinterpret_cast<const std::byte*>(text.data()), text.size(), first);
    packet.data = text + packet.data;
    packet.pulled = 0;  // pushed bytes replace what was pulled
    packet.shown.clear();
  }
  void rewrite(Tracked& packet) {
    const std::size_t count = below(packet.data.size() + 1);
    ASSERT_TRUE(pull_up(*packet.nbl, count));
    const std::string text = letters(count);
    std::byte* const first = contiguous(*packet.nbl, 0, count);
    ASSERT_TRUE(count == 0 || first != nullptr);
    std::copy_n(reinterpret_cast<const std::byte*>(text.data()), count, first);
    packet.data.replace(0, count, text);
  }
  void pull(Tracked& packet) {
    const std::size_t count = below(packet.data.size() + 1);
    advance(*packet.nbl, count);
    packet.shown += packet.data.substr(0, count);
    packet.pulled += count;
    packet.data.erase(0, count);
  }
  void show(Tracked& packet) {
    const std::size_t count = below(packet.pulled + 1);
    ASSERT_TRUE(retreat(*packet.nbl, count));
    packet.data = packet.shown.substr(packet.shown.size() - count) + packet.data;
    packet.shown.resize(packet.shown.size() - count);
    packet.pulled -= count;
  }
  void cut(Tracked& packet) {
    const std::size_t size = below(packet.data.size() + 1);
    trim(*packet.nbl, size);
    packet.data.resize(size);
  }
  void there_and_back(Tracked& packet) {  // beyond the used space, as drivers do in a classify
    const std::size_t delta = 1 + below(200);
    ASSERT_TRUE(retreat(*packet.nbl, delta, below(50)));
    advance(*packet.nbl, delta, true);
  }

  std::minstd_rand random_{GetParam()};
  std::vector<Tracked> packets_;
};

TEST_P(ModelTest, EveryPacketHoldsWhatItsModelSays) {
  for (int step = 0; step < 400; ++step) {
    const auto operation = below(10);
    if (packets_.empty() || operation == 0)
      create();
    else if (operation == 1)
      copy();
    else if (operation == 2)
      drop();
    else if (operation == 3)
      add(any());
    else if (operation == 4)
      put_header(any());
    else if (operation == 5)
      rewrite(any());
    else if (operation == 6)
      pull(any());
    else if (operation == 7)
      show(any());
    else if (operation == 8)
      cut(any());
    else
      there_and_back(any());
    if (HasFatalFailure()) break;
    for (const auto& packet : packets_) {
      ASSERT_EQ(text_of(*packet.nbl), packet.data) << "after step " << step << ", operation " << operation;
      expect_consistent(*packet.nbl);
    }
  }
  for (auto& packet : packets_) release(*packet.nbl);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ModelTest, testing::Range(1u, 41u));

}  // namespace
}  // namespace wfp::ndis
