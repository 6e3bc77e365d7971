#include "stack/packet/packet.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <type_traits>

#include "wfp/ndis/chain.hpp"
#include "wfp/ndis/nbl.hpp"
#include "wfp/ndis/offsets.hpp"

namespace stack {

namespace ndis = wfp::ndis;

static_assert(sizeof(PacketMeta) <= ndis::kOwnerAreaSize);
static_assert(std::is_trivially_destructible_v<PacketMeta>);

namespace {

PacketMeta& meta_of(NET_BUFFER_LIST& nbl) {
  return *std::launder(reinterpret_cast<PacketMeta*>(ndis::owner_area(nbl)));
}

Bytes as_bytes(std::span<std::byte> range) { return {range.data(), range.size()}; }

}  // namespace

Packet Packet::take(_NET_BUFFER_LIST* reference) {
  CHECK(reference != nullptr && reference->FirstNetBuffer != nullptr);
  return Packet{reference};
}

Packet& Packet::operator=(Packet&& other) noexcept {
  if (this != &other) {
    reset();
    nbl_ = other.release_nbl();
  }
  return *this;
}

_NET_BUFFER_LIST* Packet::release_nbl() {
  auto* nbl = nbl_;
  nbl_ = nullptr;
  return nbl;
}

void Packet::reset() {
  if (auto* nbl = release_nbl()) ndis::release(*nbl);
}

std::size_t Packet::size() const { return nbl_->FirstNetBuffer->DataLength; }

Bytes Packet::head(std::size_t count) {
  CHECK(count <= size());
  if (count == 0) return {};
  auto* bytes = ndis::contiguous(*nbl_, 0, count);
  if (bytes == nullptr && ndis::pull_up(*nbl_, count)) bytes = ndis::contiguous(*nbl_, 0, count);
  return bytes == nullptr ? Bytes{} : Bytes{bytes, count};
}

Bytes Packet::contiguous() const {
  const std::size_t count = size();
  if (count == 0) return {};
  const auto* bytes = ndis::contiguous(*nbl_, 0, count);
  return bytes == nullptr ? Bytes{} : Bytes{bytes, count};
}

std::size_t Packet::copy_out(std::size_t offset, MutableBytes into) const {
  return ndis::copy_out(*nbl_, offset, into);
}

void Packet::for_each_range(const std::function<void(Bytes)>& visit) const {
  ndis::for_each_range(*nbl_, [&](std::span<std::byte> range) { visit(as_bytes(range)); });
}

bool Packet::for_each_block(const std::function<void(BufferRef, std::size_t, std::size_t)>& visit) const {
  const NET_BUFFER& nb = *nbl_->FirstNetBuffer;
  std::size_t left = nb.DataLength, skip = nb.CurrentMdlOffset;
  for (const MDL* mdl = nb.CurrentMdl; mdl != nullptr && left > 0; mdl = mdl->Next, skip = 0) {
    if (skip >= mdl->ByteCount) continue;
    const std::size_t size = std::min<std::size_t>(left, mdl->ByteCount - skip);
    const auto* const first = static_cast<const std::byte*>(mdl->MappedSystemVa) + skip;
    left -= size;
    if (ndis::Block* const block = ndis::block_of(*mdl)) {
      visit(BufferRef{ndis::BlockRef::share(*block).detach()}, static_cast<std::size_t>(first - block->data()), size);
      continue;
    }
    BufferRef copy = make_compact_buffer(size);
    if (!copy) return false;
    std::memcpy(copy.bytes().data(), first, size);
    visit(std::move(copy), 0, size);
  }
  return true;
}

std::size_t Packet::ranges(Bytes* into, std::size_t limit) const {
  std::size_t count = 0;
  ndis::for_each_range(*nbl_, [&](std::span<std::byte> range) {
    if (count < limit) into[count] = as_bytes(range);
    ++count;
  });
  return count;
}

void Packet::pull(std::size_t count) {
  CHECK(count <= size());
  ndis::advance(*nbl_, count);
}

void Packet::restore(std::size_t count) {
  CHECK(nbl_->FirstNetBuffer->DataOffset >= count);
  CHECK(ndis::retreat(*nbl_, count));
}

MutableBytes Packet::push(std::size_t count) {
  auto* first = ndis::push(*nbl_, count);
  return first == nullptr ? MutableBytes{} : MutableBytes{first, count};
}

void Packet::trim(std::size_t size) {
  CHECK(size <= this->size());
  ndis::trim(*nbl_, size);
}

bool Packet::append(const BufferRef& block, std::size_t offset, std::size_t count) {
  return ndis::append(*nbl_, ndis::BlockRef::share(*block.block()), offset, count);
}

MutableBytes Packet::make_private(std::size_t count) {
  CHECK(count <= size());
  if (count == 0) return {};
  const bool is_ready = !is_shared() && ndis::contiguous(*nbl_, 0, count) != nullptr;
  if (!is_ready && !ndis::pull_up(*nbl_, count)) return {};
  return MutableBytes{ndis::contiguous(*nbl_, 0, count), count};
}

bool Packet::is_shared() const { return ndis::is_shared(*nbl_); }

Packet Packet::share() const {
  ndis::reference(*nbl_);
  return Packet{nbl_};
}

PacketMeta& Packet::meta() { return meta_of(*nbl_); }
const PacketMeta& Packet::meta() const { return meta_of(*nbl_); }
const PacketMeta* Packet::parent_meta() const {
  return nbl_->ParentNetBufferList == nullptr ? nullptr : &meta_of(*nbl_->ParentNetBufferList);
}

}  // namespace stack
