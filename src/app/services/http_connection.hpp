// One HTTP connection: read a request, send its response, read the next. While a response is under way nothing is
// read.
#pragma once

#include <optional>

#include "src/app/services/http_response.hpp"
#include "src/app/services/http_service.hpp"

namespace app::services {

class HttpConnection final : public Connection {
 public:
  static constexpr std::size_t kReadSize = 16 * 1024;
  // From the first byte of a request to the end of its head, and to its last one; 408 then (RFC 9110 15.5.9).
  static constexpr stack::Duration kHeadLimit = std::chrono::seconds{30};
  static constexpr stack::Duration kRequestLimit = std::chrono::seconds{300};
  static constexpr stack::Duration kSlowInterval = std::chrono::milliseconds{100};

  HttpConnection(ConnectionSet& set, std::unique_ptr<ByteStream> stream, HttpService& service)
      : Connection(set, std::move(stream)), service_(service) {}
  ~HttpConnection() override;

  void start() override;
  void on_readable() override;
  void on_writable() override;

 private:
  void on_overdue() override;
  enum class Phase { Reading, SendingHead, SendingBody, WaitingForTimer };
  enum class Sent { All, Blocked, Failed };

  void run();           // goes on until something blocks
  bool read_request();  // false: wait for more bytes, or it has ended
  bool feed(stack::Bytes bytes);
  void refuse(HttpResponse response);  // what follows of the request is not read
  void follow_deadline();
  void account_body();
  void respond(HttpResponse response);
  void send_continue();
  Sent send_head();
  Sent send_body();
  Sent send_from_block();
  bool finish_response();  // false: the connection has ended
  // Writes `left` bytes through `write(count)`; when they are the last of the connection, the FIN rides on their
  // segment.
  template <typename Left, typename Write>
  Sent send(Left& left, bool last, Write write);
  std::uint64_t slow_piece() const;
  void start_slow_timer();

  HttpService& service_;
  HttpRequestReader reader_;
  std::vector<std::byte> pipelined_;  // read behind a complete request; at most kReadSize
  HttpResponse response_;
  std::string head_;
  std::size_t head_left_ = 0;
  std::uint64_t body_left_ = 0;
  std::uint64_t piece_left_ = 0;  // of body_left_, what may be sent now
  std::optional<stack::Instant> request_began_;
  std::size_t counted_body_ = 0;  // of service_.body_bytes_, what is ours
  Phase phase_ = Phase::Reading;
  bool interim_ = false;  // the head is a 100 (Continue)
  bool continued_ = false;
  bool fin_sent_ = false;
  bool discard_rest_ = false;  // the request was refused: what follows it is not read
  Network::TimerId slow_timer_ = 0;
};

}  // namespace app::services
