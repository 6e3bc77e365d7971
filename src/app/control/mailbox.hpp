// How other threads reach the control thread: they leave a note for a session and wake it. What they leave for a
// session that has ended meanwhile is thrown away by the reader. Kept alive by shared_ptr, since notes may come late.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "src/app/control/message.hpp"
#include "tap/file_descriptor.hpp"

namespace app::control {

using SessionId = std::uint64_t;

class Mailbox {
 public:
  struct Notes {
    std::vector<SessionId> changed;  // something that it waits for may have come
    std::vector<std::pair<SessionId, Reply>> replies;
  };

  Mailbox();                              // without a descriptor to wake by when there is none: fd() is -1
  int fd() const { return wake_.get(); }  // readable while there are notes

  void ring(SessionId session);
  void deliver(SessionId session, Reply reply);
  void wake();  // without a note

  Notes take();  // and makes fd() wait again

 private:
  void wake_locked();

  tap::FileDescriptor wake_;
  std::mutex mutex_;  // guards the rest
  Notes notes_;
  bool awake_ = false;
};

// The answer to one request, owed until it is given: when the last copy goes without that, the client is told that the
// daemon is ending. Any thread.
class Answer {
 public:
  using Deliver = std::function<void(Reply)>;
  explicit Answer(Deliver deliver) : owed_(std::make_shared<Owed>(std::move(deliver))) {}
  void give(Reply reply) const { owed_->give(std::move(reply)); }

 private:
  class Owed {
   public:
    explicit Owed(Deliver deliver) : deliver_(std::move(deliver)) {}
    ~Owed() { give(Reply::failure("the daemon is ending")); }
    Owed(const Owed&) = delete;
    Owed& operator=(const Owed&) = delete;
    void give(Reply reply) {
      if (const auto deliver = std::exchange(deliver_, nullptr)) deliver(std::move(reply));
    }

   private:
    Deliver deliver_;
  };
  std::shared_ptr<Owed> owed_;
};

}  // namespace app::control
