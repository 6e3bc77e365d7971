#include "src/app/control/mailbox.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

namespace app::control {

Mailbox::Mailbox() : wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void Mailbox::ring(SessionId session) {
  const std::lock_guard lock(mutex_);
  if (notes_.changed.empty() || notes_.changed.back() != session) notes_.changed.push_back(session);
  wake_locked();
}

void Mailbox::deliver(SessionId session, Reply reply) {
  const std::lock_guard lock(mutex_);
  notes_.replies.emplace_back(session, std::move(reply));
  wake_locked();
}

void Mailbox::wake() {
  const std::lock_guard lock(mutex_);
  wake_locked();
}

void Mailbox::wake_locked() {
  if (std::exchange(awake_, true)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_.get(), &one, sizeof one);
}

Mailbox::Notes Mailbox::take() {
  const std::lock_guard lock(mutex_);
  if (std::exchange(awake_, false)) {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = read(wake_.get(), &count, sizeof count);
  }
  return std::exchange(notes_, {});
}

}  // namespace app::control
