// Bytes that arrived in order and wait for the application. They are acknowledged: nothing here is ever dropped. Their
// number counts against the receive window, the memory that holds them against the account.
//
// What is read at once is read where it arrived, without a copy: its block is lent until copy_out(), which the module
// calls at the end of the round. What waits longer lies in blocks of its own, so that no packet, receive buffer or
// driver's clone waits for an application, and small segments are brought together.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>

#include "stack/base/teller.hpp"
#include "stack/packet/packet.hpp"
#include "stack/tcp/piece.hpp"

namespace stack::tcp {

class ReceiveQueue {
 public:
  // Whoever has no more than this unread may use the account's reserve.
  static constexpr std::size_t kSmall = 4'096;

  explicit ReceiveQueue(std::shared_ptr<Teller> teller) : teller_(std::move(teller)) {}
  ~ReceiveQueue() { clear(); }
  ReceiveQueue(const ReceiveQueue&) = delete;
  ReceiveQueue& operator=(const ReceiveQueue&) = delete;

  std::size_t size() const { return size_; }  // unread bytes
  bool empty() const { return size_ == 0; }
  std::size_t piece_count() const { return pieces_.size(); }

  // Takes a packet whose data is payload alone and not empty. False: the account has no room; nothing was taken.
  bool push(Packet& payload);
  // Takes a piece that is entered in the account for bytes in order already.
  void push(Piece piece);
  std::size_t read(MutableBytes into);
  // Shows bytes in place, in order, until visit returns false or `limit` bytes were shown; those are consumed.
  std::size_t read_in_place(std::size_t limit, const std::function<bool(Bytes)>& visit);
  void clear();

  bool has_lent() const { return lent_ != 0; }
  void copy_out();  // what is lent goes back

 private:
  void append(Piece piece);
  bool lend(const Packet& payload);
  void fill_tail(std::size_t end, Piece& lent);
  void copy_out(std::size_t tail_size, Piece& lent);
  void consume_front(std::size_t count);

  std::shared_ptr<Teller> teller_;
  std::deque<Piece> pieces_;
  std::size_t size_ = 0;
  std::size_t lent_ = 0;  // pieces
};

}  // namespace stack::tcp
