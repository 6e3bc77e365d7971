#include "stack/packet/packet_pool.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "wfp/ndis/chain.hpp"
#include "wfp/ndis/nbl.hpp"
#include "wfp/ndis/nbl_pool.hpp"

namespace stack {

namespace ndis = wfp::ndis;

struct PacketPool::Impl {
  explicit Impl(std::size_t limit) : pool(limit) {}
  ndis::NblPool pool;
};

namespace {

Packet with_fresh_meta(NET_BUFFER_LIST* nbl) {
  if (nbl == nullptr) return {};
  new (ndis::owner_area(*nbl)) PacketMeta{};
  return Packet::take(nbl);
}

}  // namespace

PacketPool::PacketPool(std::size_t limit) : impl_(new Impl{limit}) {}
PacketPool::~PacketPool() { delete impl_; }

Packet PacketPool::allocate(std::size_t size, std::size_t headroom) {
  return with_fresh_meta(impl_->pool.allocate(headroom, size));
}

Packet PacketPool::adopt(BufferRef block, std::size_t offset, std::size_t size) {
  return with_fresh_meta(impl_->pool.adopt(ndis::BlockRef::share(*block.block()), offset, size));
}

Packet PacketPool::slice(const Packet& of, std::size_t offset, std::size_t count, std::size_t headroom) {
  CHECK(offset + count <= of.size());
  Packet made = allocate(0, headroom);
  if (!made) return {};
  made.meta() = of.meta();
  ndis::injection_mark(*made.nbl()) = ndis::injection_mark(*of.nbl());  // a piece is as injected as the whole
  const auto& nb = *of.nbl()->FirstNetBuffer;
  std::size_t skip = nb.CurrentMdlOffset + offset;
  for (const MDL* mdl = nb.CurrentMdl; mdl != nullptr && count > 0; mdl = mdl->Next) {
    if (skip >= mdl->ByteCount) {
      skip -= mdl->ByteCount;
      continue;
    }
    const std::size_t size = std::min<std::size_t>(count, mdl->ByteCount - skip);
    auto* first = static_cast<std::byte*>(mdl->MappedSystemVa) + skip;
    if (auto* block = ndis::block_of(*mdl)) {
      const auto at = static_cast<std::size_t>(first - block->data());
      if (!ndis::append(*made.nbl(), ndis::BlockRef::share(*block), at, size)) return {};
    } else {
      // Memory of a driver is only lent: it may go when the driver's packet completes, so the slice gets a copy.
      auto copy = impl_->pool.allocate_block(size);
      if (!copy) return {};
      std::memcpy(copy->data(), first, size);
      if (!ndis::append(*made.nbl(), std::move(copy), 0, size)) return {};
    }
    count -= size;
    skip = 0;
  }
  return count == 0 ? std::move(made) : Packet{};
}

Packet PacketPool::copy(Packet& of, std::size_t before) {
  const std::size_t size = of.size() + before;
  BufferRef block = make_compact_buffer(kHeadroom + size);
  if (!block) return {};
  of.restore(before);
  of.copy_out(0, block.bytes().subspan(kHeadroom));
  of.pull(before);
  Packet made = adopt(std::move(block), kHeadroom, size);
  if (!made) return {};
  made.pull(before);
  made.meta() = of.meta();
  made.set_checksum(of.checksum());
  made.set_large_send(of.large_send());
  made.set_coalesced(of.coalesced());
  return made;
}

std::size_t PacketPool::in_use() const { return impl_->pool.in_use(); }
std::uint64_t PacketPool::failures() const { return impl_->pool.failed(); }

}  // namespace stack
