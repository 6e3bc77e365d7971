#include "src/app/services/http_connection.hpp"

#include <algorithm>
#include <utility>

namespace app::services {

HttpConnection::~HttpConnection() {
  service_.body_bytes_ -= counted_body_;
  if (slow_timer_ != 0) set().network().cancel(slow_timer_);
}

void HttpConnection::start() {
  stream().set_no_delay(true);  // every write is a whole response or a full buffer
  run();
}

void HttpConnection::on_readable() {
  if (discard_input()) return;
  if (phase_ == Phase::Reading) run();
}

void HttpConnection::on_writable() { run(); }

void HttpConnection::run() {
  while (!ended() && !discard_input()) {
    auto sent = Sent::All;
    switch (phase_) {
      case Phase::Reading:
        if (!read_request()) return;
        continue;
      case Phase::SendingHead:
        sent = send_head();
        break;
      case Phase::SendingBody:
        sent = send_body();
        break;
      case Phase::WaitingForTimer:
        return;
    }
    if (sent == Sent::Failed) return end();
    if (sent == Sent::Blocked) return;
    if (phase_ == Phase::SendingHead && interim_) {
      interim_ = false;
      phase_ = Phase::Reading;
    } else if (phase_ == Phase::SendingHead && response_.has_body()) {
      phase_ = Phase::SendingBody;
    } else if (phase_ == Phase::SendingBody && body_left_ > 0) {
      start_slow_timer();
    } else if (!finish_response()) {
      return;
    }
  }
}

bool HttpConnection::read_request() {
  while (phase_ == Phase::Reading) {
    if (!pipelined_.empty()) {
      const auto waiting = std::exchange(pipelined_, {});
      if (!feed(waiting)) return false;
      continue;
    }
    const auto got = stream().read(service_.scratch_);
    if (got.error == stack::Error::WouldBlock) return false;
    if (got.error != stack::Error::None || got.count == 0) {
      if (reader_.has_begun()) ++service_.malformed_;
      return end(), false;
    }
    progressed();
    if (!feed(stack::Bytes{service_.scratch_}.first(got.count))) return false;
  }
  return true;
}

// False: the connection has ended.
bool HttpConnection::feed(stack::Bytes bytes) {
  const auto taken = reader_.feed(bytes);
  account_body();
  follow_deadline();
  using State = HttpRequestReader::State;
  if (reader_.state() == State::Complete) {
    const auto rest = bytes.subspan(taken);
    pipelined_.assign(rest.begin(), rest.end());
    ++service_.requests_;
    respond(answer(reader_.request()));
  } else if (reader_.state() != State::Reading) {
    ++service_.malformed_;
    refuse(answer(reader_.state()));
  } else if (service_.body_bytes_ > HttpService::kMaxBodiesTogether) {
    HttpResponse busy;
    busy.status = 503;
    refuse(std::move(busy));
  } else if (reader_.headers_complete() && reader_.request().expects_continue && !continued_) {
    if (reader_.request().body.empty() && reader_.request().version_minor > 0) send_continue();
    continued_ = true;
  }
  return !ended();
}

void HttpConnection::refuse(HttpResponse response) {
  response.close = discard_rest_ = true;
  respond(std::move(response));
}

// A byte now and then is progress, but no reason to keep a request for ever.
void HttpConnection::follow_deadline() {
  if (reader_.state() != HttpRequestReader::State::Reading || !reader_.has_begun()) {
    request_began_.reset();
    return set_deadline(stack::kNever);
  }
  if (!request_began_) request_began_ = set().network().now();
  set_deadline(*request_began_ + (reader_.headers_complete() ? kRequestLimit : kHeadLimit));
}

void HttpConnection::on_overdue() {
  if (phase_ != Phase::Reading) return abort();  // the peer does not even take the 100 (Continue)
  ++service_.malformed_;
  HttpResponse late;
  late.status = 408;
  refuse(std::move(late));
  run();
}

// What bodies of all connections take together is bounded, so it is counted.
void HttpConnection::account_body() {
  const auto size = reader_.request().body.size();
  service_.body_bytes_ += size;
  service_.body_bytes_ -= counted_body_;
  counted_body_ = size;
}

void HttpConnection::send_continue() {
  head_ = "HTTP/1.1 100 Continue\r\n\r\n";
  head_left_ = head_.size();
  interim_ = true;
  phase_ = Phase::SendingHead;
}

void HttpConnection::respond(HttpResponse response) {
  response_ = std::move(response);
  head_ = response_.head();
  if (response_.body == HttpResponse::Body::Text && response_.has_body()) {  // one write, one segment
    head_ += response_.text;
    response_.text.clear();
  }
  head_left_ = head_.size();
  body_left_ = response_.has_body() ? response_.body_size() : 0;
  piece_left_ = response_.body == HttpResponse::Body::SlowPattern ? slow_piece() : body_left_;
  phase_ = Phase::SendingHead;
}

template <typename Left, typename Write>
HttpConnection::Sent HttpConnection::send(Left& left, bool last, Write write) {
  while (left > 0) {
    auto count = static_cast<std::size_t>(left);
    if (last && response_.close) {
      if (stream().writable() >= left) {
        stream().finish_after_next_write();
        fin_sent_ = true;
      } else {
        count = std::max<std::size_t>(count - 1, 1);  // the last byte waits for the write that takes all of the rest
      }
    }
    const auto sent = write(count);
    left -= sent.count;
    if (sent.count > 0) progressed();
    if (sent.error == stack::Error::WouldBlock && left > 0) return Sent::Blocked;
    if (sent.error != stack::Error::None && sent.error != stack::Error::WouldBlock) return Sent::Failed;
    if (fin_sent_ && left > 0)
      return Sent::Failed;  // the FIN is gone, the bytes are not: nothing sensible can follow
  }
  return Sent::All;
}

HttpConnection::Sent HttpConnection::send_head() {
  return send(head_left_, !interim_ && !response_.has_body(), [this](std::size_t count) {
    return stream().write(std::as_bytes(std::span{head_}).subspan(head_.size() - head_left_, count));
  });
}

HttpConnection::Sent HttpConnection::send_body() {
  if (response_.body != HttpResponse::Body::Echo) return send_from_block();
  const auto bytes = stack::Bytes{response_.echo};
  return send(body_left_, true,
              [&](std::size_t count) { return stream().write(bytes.subspan(bytes.size() - body_left_, count)); });
}

// Runs of the shared block, each up to its end.
HttpConnection::Sent HttpConnection::send_from_block() {
  const auto& pattern = service_.pattern_;
  while (piece_left_ > 0) {
    const auto position = response_.pattern_size - body_left_;
    const auto run = pattern.run(position, piece_left_);
    const auto before = run;
    auto left = run;
    const auto sent = send(left, run == body_left_, [&](std::size_t count) {
      return stream().write(pattern.block(), pattern.offset(position) + before - left, count);
    });
    body_left_ -= before - left;
    piece_left_ -= before - left;
    if (sent != Sent::All) return sent;
  }
  return Sent::All;
}

bool HttpConnection::finish_response() {
  if (response_.close) {
    if (!fin_sent_) stream().shutdown_write();
    if (discard_rest_ || !pipelined_.empty() || stream().readable() > 0) {
      end_after_input();
    } else {
      end();
    }
    return false;
  }
  service_.body_bytes_ -= std::exchange(counted_body_, 0);
  response_ = {};
  reader_.next();
  continued_ = false;
  phase_ = Phase::Reading;
  return true;
}

std::uint64_t HttpConnection::slow_piece() const {
  const auto even = (response_.pattern_size + kSlowPieces - 1) / kSlowPieces;
  return std::min(std::max<std::uint64_t>(even, 1), body_left_);
}

void HttpConnection::start_slow_timer() {
  phase_ = Phase::WaitingForTimer;
  slow_timer_ = set().network().call_after(kSlowInterval, [this] {
    slow_timer_ = 0;
    if (ended()) return;
    piece_left_ = slow_piece();
    phase_ = Phase::SendingBody;
    run();
  });
}

}  // namespace app::services
