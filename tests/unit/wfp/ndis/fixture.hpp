// What the tests of this folder share: a pool that must be empty at the end, and short ways to make and read packets.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/unit/wfp/take_rules.hpp"
#include "wfp/ledger/ledger.hpp"
#include "wfp/ledger/violation.hpp"
#include "wfp/ndis/chain.hpp"
#include "wfp/ndis/nbl_pool.hpp"

namespace wfp::ndis {

class NdisTest : public testing::Test {
 protected:
  static constexpr std::size_t kHeadroom = 64;

  NdisTest() {
    ledger::reset();
    ledger::set_level(ledger::Level::standard);
    driver_ = ledger::add_driver("driver");
  }
  ~NdisTest() override {
    EXPECT_EQ(pool_.in_use(), 0u);
    EXPECT_EQ(ledger::alive(driver_).total(), 0u);
    ledger::reset();
  }

  NET_BUFFER_LIST* make(std::string_view text, std::size_t headroom = kHeadroom) {
    NET_BUFFER_LIST* const nbl = pool_.allocate(headroom, text.size());
    copy_in(*nbl, 0, std::as_bytes(std::span(text)));
    return nbl;
  }
  static BlockRef block_of_text(std::string_view text) {
    BlockRef block = make_block(text.size());
    std::copy_n(reinterpret_cast<const std::byte*>(text.data()), text.size(), block->data());
    return block;
  }
  static std::string text_of(const NET_BUFFER_LIST& nbl) {
    std::string text(data_length(nbl), '?');
    text.resize(copy_out(nbl, 0, std::as_writable_bytes(std::span(text))));
    return text;
  }
  static std::size_t mdl_count(const NET_BUFFER_LIST& nbl) {
    std::size_t count = 0;
    for (const MDL* mdl = nbl.FirstNetBuffer->MdlChain; mdl != nullptr; mdl = mdl->Next) ++count;
    return count;
  }
  // What every operation must leave behind: offsets that agree with each other.
  static void expect_consistent(const NET_BUFFER_LIST& nbl) {
    for (const NET_BUFFER* nb = nbl.FirstNetBuffer; nb != nullptr; nb = nb->Next) {
      std::size_t before = 0;
      std::size_t total = 0;
      bool is_before = true;
      for (const MDL* mdl = nb->MdlChain; mdl != nullptr; mdl = mdl->Next) {
        if (mdl == nb->CurrentMdl) is_before = false;
        if (is_before) before += mdl->ByteCount;
        total += mdl->ByteCount;
      }
      EXPECT_EQ(before + nb->CurrentMdlOffset, nb->DataOffset);
      EXPECT_LE(nb->DataOffset + nb->DataLength, total);
    }
  }

  ledger::DriverId driver_ = ledger::kNoDriver;
  NblPool pool_{100};
};

}  // namespace wfp::ndis
