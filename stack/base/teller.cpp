#include "stack/base/teller.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "stack/base/assert.hpp"

namespace stack {

Teller::Teller(std::shared_ptr<Account> account) : account_(std::move(account)) { CHECK(account_ != nullptr); }

std::size_t Teller::rank_of(std::size_t held) {
  return std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(held)), kRanks - 1);
}

void Teller::change(Holder& holder, std::size_t held) {
  const std::size_t before = rank_of(std::exchange(holder.held_, held)), after = rank_of(held);
  if (before == after) return;
  if (before != 0) holder.unlink();
  if (after != 0) ranks_[after].push_back(holder);
}

Teller::Holder* Teller::largest(std::size_t above_rank) {
  for (std::size_t rank = kRanks - 1; rank > above_rank; --rank)
    if (!ranks_[rank].empty()) return &ranks_[rank].front();
  return nullptr;
}

bool Teller::make_room(std::size_t bytes, std::size_t above_rank) {
  const std::size_t bound = account_->limit() - account_->reserve();
  while (account_->held() + bytes > bound) {
    Holder* const victim = largest(above_rank);
    if (victim == nullptr) return false;
    const std::size_t before = victim->held_;
    victim->prune(std::max(account_->held() + bytes - bound, before / kPruneShare));
    CHECK(victim->held_ < before);
    account_->count_pruned(before - victim->held_);
  }
  return true;
}

bool Teller::take(Use use, std::size_t bytes, Account::Reserve reserve) {
  if (account_->take(use, bytes)) return true;
  if (!account_->is_capped(use, bytes) && make_room(bytes, 0) && account_->take(use, bytes)) return true;
  if (reserve == Account::Reserve::Allowed && account_->take(use, bytes, reserve)) return true;
  account_->count_refused(use);
  return false;
}

bool Teller::take(Holder& holder, std::size_t bytes) {
  const auto taken = [&] { return account_->take(Use::OutOfOrder, bytes); };
  const bool is_there = taken() || (make_room(bytes, rank_of(holder.held_ + bytes)) && taken());
  if (is_there) change(holder, holder.held_ + bytes);
  return is_there;
}

void Teller::give(Holder& holder, std::size_t bytes) {
  CHECK(bytes <= holder.held_);
  account_->give(Use::OutOfOrder, bytes);
  change(holder, holder.held_ - bytes);
}

void Teller::move_in_order(Holder& holder, std::size_t bytes) {
  CHECK(bytes <= holder.held_);
  account_->move(Use::OutOfOrder, Use::InOrder, bytes);
  change(holder, holder.held_ - bytes);
}

}  // namespace stack
