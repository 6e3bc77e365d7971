// One client's conversation: requests and replies until it goes, or a stream that it asked for. On the control thread,
// which looks after all of them; nothing here waits.
#pragma once

#include <chrono>

#include "src/app/control/backend.hpp"
#include "src/app/control/stream.hpp"

namespace app::control {

class Session {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kIdleLimit{60};  // between requests
  static constexpr std::chrono::seconds kSendLimit{
      30};  // a client that takes nothing of its reply for so long is gone

  Session(SessionId id, tap::FileDescriptor socket, Backend& backend, std::shared_ptr<Mailbox> mailbox);

  int fd() const { return client_.fd(); }
  short wanted_events() const;  // of poll(2)
  void on_events(short events);
  void on_changed() { advance(); }  // the stream has news
  void on_reply(const Reply& reply);

  bool is_over() const;
  // Nothing is under way: it may be ended for somebody who has something to ask.
  bool is_idle() const { return !stream_ && !waits_for_reply_ && !closing_; }
  Clock::time_point last_active() const { return last_active_; }
  Clock::time_point deadline() const;  // on_deadline() is to be called then
  void on_deadline();
  // Tells the client why and ends; what it does not take at once is lost.
  void dismiss(const std::string& sentence);

 private:
  void advance();
  bool advance_once();  // true: there is more to do
  bool take_request();  // false: there is none yet
  void begin(const Json& request);
  void refuse(const std::string& sentence);  // and ends the conversation
  void begin_trace(const Json& request);
  void begin_connect(const Json& request);
  std::function<void()> bell() const;

  const SessionId id_;
  ClientSocket client_;
  Backend& backend_;
  const std::shared_ptr<Mailbox> mailbox_;
  std::unique_ptr<Stream> stream_;
  bool waits_for_reply_ = false;
  bool closing_ = false;  // once what is unsent has gone
  Clock::time_point last_active_ = Clock::now();
};

}  // namespace app::control
