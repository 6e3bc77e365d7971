// Bytes that arrived in order and wait for the application: the packets themselves, so that nothing is copied before
// it reads. Their size counts against the receive window.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>

#include "stack/packet/packet.hpp"

namespace stack::tcp {

class ReceiveQueue {
 public:
  // Packets that arrive in order while the application reads nothing; bounds what a peer can pin with tiny segments.
  // Those that waited in OutOfOrder come on top.
  static constexpr std::size_t kMaxPackets = 8'192;

  bool is_full() const { return packets_.size() >= kMaxPackets; }
  std::size_t size() const { return size_; }  // unread bytes
  bool empty() const { return size_ == 0; }
  std::size_t packet_count() const { return packets_.size(); }

  // Takes a packet whose data is payload alone and not empty.
  void push(Packet payload);
  std::size_t read(MutableBytes into);
  // Shows bytes in place, in order, until visit returns false or `limit` bytes were shown; those are consumed.
  std::size_t read_in_place(std::size_t limit, const std::function<bool(Bytes)>& visit);
  void clear();

 private:
  void consume_front(std::size_t count);

  std::deque<Packet> packets_;
  std::size_t size_ = 0;
};

}  // namespace stack::tcp
