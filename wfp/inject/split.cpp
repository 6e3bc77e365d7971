#include "wfp/inject/split.hpp"

#include <new>
#include <vector>

#include "nt/ntstatus.h"
#include "wfp/ndis/chain.hpp"
#include "wfp/ndis/clone.hpp"
#include "wfp/ndis/nbl_pool.hpp"

namespace wfp::inject {
namespace {

constexpr std::size_t kHeadroom = 128;  // link, IP and transport headers in front of a copy

// Keeps the whole alive until its part is gone, and tells it of an error.
class Part final : public ndis::ReleaseHandler {
 public:
  explicit Part(NET_BUFFER_LIST& whole) : whole_(whole) { ndis::reference(whole_); }
  void on_last_release(NET_BUFFER_LIST& nbl) noexcept override {
    if (!NT_SUCCESS(nbl.Status)) {
      NDIS_STATUS expected = STATUS_SUCCESS;
      __atomic_compare_exchange_n(&whole_.Status, &expected, nbl.Status, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    }
    nbl.ParentNetBufferList = nullptr;
    ndis::exchange_release_handler(nbl, nullptr);
    ndis::revive(nbl);
    ndis::release(nbl);
    NET_BUFFER_LIST& whole = whole_;
    delete this;
    ndis::release(whole);
  }

 private:
  NET_BUFFER_LIST& whole_;
};

NET_BUFFER_LIST* copy_of(NET_BUFFER_LIST& whole, const NET_BUFFER& nb) {
  NET_BUFFER_LIST* const copy = ndis::shared_pool().allocate(kHeadroom, nb.DataLength);
  if (copy == nullptr) return nullptr;
  std::size_t at = 0;
  ndis::for_each_range(nb, [&](std::span<std::byte> range) { at += ndis::copy_in(*copy, at, range); });
  Part* const part = at == nb.DataLength ? new (std::nothrow) Part(whole) : nullptr;
  if (part == nullptr) {
    ndis::release(*copy);
    return nullptr;
  }
  // The host asks the original what the packet is. The whole holds it, and the part holds the whole.
  copy->ParentNetBufferList = whole.ParentNetBufferList;
  ndis::copy_offload_information(*copy, whole);
  ndis::injection_mark(*copy) = ndis::injection_mark(whole);
  ndis::exchange_release_handler(*copy, part);
  return copy;
}

}  // namespace

void inject_each_buffer(Host& host, const InjectRequest& request) {
  NET_BUFFER_LIST& whole = *request.nbl;
  std::vector<NET_BUFFER_LIST*> copies;  // made first: once the whole is with the stack, it is not looked into
  bool complete = true;
  for (const NET_BUFFER* nb = whole.FirstNetBuffer->Next; nb != nullptr; nb = nb->Next) {
    NET_BUFFER_LIST* const copy = copy_of(whole, *nb);
    if (copy != nullptr)
      copies.push_back(copy);
    else
      complete = false;
  }
  ndis::reference(whole);  // ours, over the loop
  host.inject(request);
  for (NET_BUFFER_LIST* const copy : copies) {
    InjectRequest part = request;
    part.nbl = copy;
    host.inject(part);
  }
  if (!complete) whole.Status = STATUS_INSUFFICIENT_RESOURCES;
  ndis::release(whole);
}

}  // namespace wfp::inject
