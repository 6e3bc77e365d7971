// One processor's way to the Account: takes and gives for everybody on it, and knows who can be made to give back.
//
// Holders keep what may be lost (bytes behind a hole). When there is no room, the one that holds the most is told to
// prune, so that whoever fills his own queue takes from himself and starves nobody. Holders stand in lists by the
// number of bits of what they hold, so "the most" is right within a factor of two and found in constant time. Used on
// the processor's thread; with several processors each has a teller and prunes its own holders.
#pragma once

#include <array>
#include <memory>

#include "stack/base/account.hpp"
#include "stack/base/intrusive_list.hpp"

namespace stack {

class Teller {
 public:
  class Holder : private ListNode<Holder> {
   public:
    std::size_t held() const { return held_; }

   protected:
    Holder() = default;
    virtual ~Holder() = default;  // holds nothing any more

   private:
    friend class Teller;
    friend class IntrusiveList<Holder, Holder>;
    // Gives back at least `bytes`, or everything; through Teller::give(). Called when somebody else takes.
    virtual void prune(std::size_t bytes) = 0;
    std::size_t held_ = 0;
  };

  explicit Teller(std::shared_ptr<Account> account);

  // False: there is no room, although whoever could be pruned was; counted.
  bool take(Use use, std::size_t bytes, Account::Reserve reserve = Account::Reserve::Untouched);
  void give(Use use, std::size_t bytes) { account_->give(use, bytes); }

  // Out-of-order bytes. Only holders with more than the asker itself are pruned; the asker may prune itself and ask
  // again, and then says with count_refused() how it ended.
  bool take(Holder& holder, std::size_t bytes);
  void give(Holder& holder, std::size_t bytes);
  void move_in_order(Holder& holder, std::size_t bytes);  // its turn has come
  void count_refused(Use use) { account_->count_refused(use); }
  void count_pruned(std::size_t bytes) { account_->count_pruned(bytes); }

  // What one connection may be promised: a part of what is free, so that many get less and there is always some left
  // for the next one.
  std::size_t share() const { return account_->room() / kShareOfFree; }
  const Account& account() const { return *account_; }

 private:
  static constexpr std::size_t kShareOfFree = 8;
  static constexpr std::size_t kPruneShare = 8;  // of what a holder has, at least: pruning comes in few steps
  static constexpr std::size_t kRanks = 64;

  static std::size_t rank_of(std::size_t held);
  void change(Holder& holder, std::size_t held);
  Holder* largest(std::size_t above_rank);
  // Whether there is room then, without the reserve; prunes holders above a rank.
  bool make_room(std::size_t bytes, std::size_t above_rank);

  std::shared_ptr<Account> account_;
  std::array<IntrusiveList<Holder, Holder>, kRanks> ranks_;
};

}  // namespace stack
