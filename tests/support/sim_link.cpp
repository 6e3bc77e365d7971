#include "tests/support/sim_link.hpp"

#include <algorithm>

namespace test {

using stack::Instant;
using stack::Packet;

class SimLink::End final : public stack::Link {
 public:
  End(SimLink& wire, std::size_t which) : wire_(wire), which_(which) {}

  stack::Medium medium() const override { return wire_.options_.medium; }
  std::uint32_t mtu() const override { return wire_.options_.mtu; }
  stack::MacAddress mac() const override {
    stack::MacAddress mac;
    mac.bytes = {std::byte{2}, {}, {}, {}, {}, static_cast<std::byte>(which_ + 1)};
    return mac;
  }
  stack::LinkCapabilities capabilities() const override {
    const bool on = wire_.options_.offload;
    return {.checksum = on, .tso4 = on, .tso6 = on};
  }
  bool transmit(Packet frame) override { return wire_.transmit(which_, std::move(frame)); }

 private:
  SimLink& wire_;
  std::size_t which_;
};

SimLink::SimLink(const SimLinkOptions& options)
    : options_(options),
      random_(options.seed),
      ends_{std::make_unique<End>(*this, 0), std::make_unique<End>(*this, 1)},
      impairers_{node::Impairer{options.impairment, random_, pool_},
                 node::Impairer{options.impairment, random_, pool_}} {}
SimLink::~SimLink() = default;
stack::Link& SimLink::end(std::size_t which) { return *ends_[which]; }

bool SimLink::transmit(std::size_t from, Packet frame) {
  if (observer_) observer_(from, frame, now_);
  Packet copy = pool_.allocate(frame.size(), 64);
  if (!copy) return false;
  frame.copy_out(0, copy.make_private(copy.size()));
  if (frame.checksum().transport_partial) copy.set_checksum({.transport_verified = true, .transport_partial = true});
  if (const auto segment = frame.large_send().segment_size; segment != 0) {
    const auto headers =
        frame.meta().link_header_size + frame.meta().ip_header_size + frame.meta().transport_header_size;
    const auto payload = frame.size() - headers;
    copy.set_coalesced({.segment_count = static_cast<std::uint16_t>((payload + segment - 1) / segment),
                        .segment_size = static_cast<std::uint16_t>(segment)});
  }
  maybe_corrupt(copy);
  impairers_[from].offer(std::move(copy), now_);
  return true;
}

void SimLink::maybe_corrupt(Packet& frame) {
  if (options_.corrupt <= 0 || static_cast<double>(random_.next_u32()) >= options_.corrupt * 4294967296.0) return;
  auto bytes = frame.make_private(frame.size());
  bytes[random_.below(static_cast<std::uint32_t>(bytes.size()))] ^= static_cast<std::byte>(1U << random_.below(8));
  ++corrupted_;
}

void SimLink::run_due(Instant now, const Deliver& deliver) {
  now_ = now;
  for (std::size_t from = 0; from < 2; ++from)
    while (auto frame = impairers_[from].take_due(now)) {
      frame->meta().received_at = now;
      deliver(1 - from, std::move(*frame));
    }
}

Instant SimLink::next_deadline() const {
  return std::min(impairers_[0].next_deadline(), impairers_[1].next_deadline());
}

bool SimLink::is_idle() const { return impairers_[0].under_way() == 0 && impairers_[1].under_way() == 0; }
std::uint64_t SimLink::frames_lost() const { return impairers_[0].lost() + impairers_[1].lost(); }

}  // namespace test
