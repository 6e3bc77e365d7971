#include "src/app/control/session.hpp"

#include <poll.h>

#include "src/app/control/connect_stream.hpp"
#include "src/app/control/trace_stream.hpp"

namespace app::control {
namespace {

constexpr int kRoundsAtOnce = 16;  // of one client, before the others are looked at

std::string text_of(const Json& request, const char* key) {
  const auto found = request.find(key);
  return found != request.end() && found->is_string() ? found->get<std::string>() : "";
}

std::uint64_t number_of(const Json& request, const char* key) {
  const auto found = request.find(key);
  return found != request.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

}  // namespace

Session::Session(SessionId id, tap::FileDescriptor socket, Backend& backend, std::shared_ptr<Mailbox> mailbox)
    : id_(id), client_(std::move(socket)), backend_(backend), mailbox_(std::move(mailbox)) {}

std::function<void()> Session::bell() const {
  return [mailbox = mailbox_, id = id_] { mailbox->ring(id); };
}

// A killed client hangs up, which poll(2) tells unasked. One that has only finished sending still waits for what it
// asked for, but for a trace: its reader is gone then.
short Session::wanted_events() const {
  int events = client_.unsent() > 0 ? POLLOUT : 0;
  if (stream_ && !stream_->reads_input()) return static_cast<short>(events | POLLRDHUP);
  const bool reads = !closing_ && !waits_for_reply_ && client_.can_receive();
  return static_cast<short>(events | (reads ? POLLIN : 0));
}

void Session::on_events(short events) {
  if ((events & (POLLHUP | POLLERR | POLLNVAL)) != 0) return client_.set_gone();
  if ((events & POLLRDHUP) != 0 && stream_ && !stream_->reads_input()) return client_.set_gone();
  if ((events & POLLIN) != 0 && client_.receive()) last_active_ = Clock::now();
  advance();
}

void Session::on_reply(const Reply& reply) {
  if (!std::exchange(waits_for_reply_, false)) return;
  client_.send_message(to_json(reply));
  last_active_ = Clock::now();
  advance();
}

// Whatever can go on does, until something has to be waited for; but others shall have their turn, too.
void Session::advance() {
  bool goes_on = true;
  for (int round = 0; goes_on && round < kRoundsAtOnce; ++round) goes_on = advance_once();
  if (goes_on) mailbox_->ring(id_);
}

bool Session::advance_once() {
  bool goes_on = false;
  if (!closing_ && stream_)
    closing_ = !stream_->pump(client_);
  else if (!closing_ && !waits_for_reply_)
    goes_on = take_request();
  const bool sent = client_.flush();
  if (sent || closing_) last_active_ = Clock::now();
  const bool has_room_again = stream_ && sent && client_.unsent() == 0;
  return (goes_on || has_room_again) && !closing_ && !client_.is_gone();
}

bool Session::take_request() {
  const auto line = client_.take_line();
  if ((line ? line->size() : client_.input().size()) > kMaxRequestBytes) {
    refuse("a request has at most 65536 bytes");
    return false;
  }
  if (!line) return false;
  const auto request = Json::parse(*line, nullptr, false);
  if (!request.is_object())
    refuse("a request is one JSON object on one line");
  else
    begin(request);
  return true;
}

void Session::refuse(const std::string& sentence) {
  client_.send_message(to_json(Reply::failure(sentence)));
  closing_ = true;
}

void Session::begin(const Json& request) {
  const auto command = text_of(request, "command");
  if (command == "trace") return begin_trace(request);
  if (command == "connect") return begin_connect(request);
  waits_for_reply_ = true;
  backend_.handle(request,
                  Answer{[mailbox = mailbox_, id = id_](Reply reply) { mailbox->deliver(id, std::move(reply)); }});
}

void Session::begin_trace(const Json& request) {
  const auto format = output::trace_format_named(text_of(request, "format"));
  const auto named = text_of(request, "layer");
  const auto layer = named.empty() ? "" : backend_.layer_name(named);
  if (!format) return refuse("the trace formats are line, dx and json");
  if (!named.empty() && layer.empty())
    return refuse("'" + named + "' is no layer; write for example FWPS_LAYER_INBOUND_TRANSPORT_V4");
  stream_ = std::make_unique<TraceStream>(backend_.trace(), layer, *format, number_of(request, "count"), bell());
  client_.send_message(to_json(Reply::success()));
}

void Session::begin_connect(const Json& request) {
  const auto address = stack::IpAddress::parse(text_of(request, "address"));
  const auto port = number_of(request, "port");
  if (!address || port == 0 || port > 65535) return refuse("connect wants an IP address and a port from 1 to 65535");
  auto relay = backend_.connect({*address, static_cast<std::uint16_t>(port)}, bell());
  const auto peer = address->to_string() + " port " + std::to_string(port);
  stream_ = std::make_unique<ConnectStream>(std::move(relay), peer);
}

bool Session::is_over() const {
  if (client_.is_gone()) return true;
  if (client_.unsent() > 0) return false;
  return closing_ || (is_idle() && client_.has_ended());
}

Session::Clock::time_point Session::deadline() const {
  if (stream_ && !closing_) return Clock::time_point::max();  // its client may take its time; what waits is bounded
  if (client_.unsent() > 0) return last_active_ + kSendLimit;
  return is_idle() ? last_active_ + kIdleLimit : Clock::time_point::max();
}

void Session::on_deadline() {
  if (client_.unsent() > 0) return client_.set_gone();
  dismiss("nothing was asked for " + std::to_string(kIdleLimit.count()) + " s");
}

void Session::dismiss(const std::string& sentence) {
  if (client_.is_gone() || closing_) return client_.set_gone();
  if (stream_)
    stream_->say_goodbye(client_, sentence);
  else
    client_.send_message(to_json(Reply::failure(sentence)));
  client_.flush();
  client_.set_gone();
}

}  // namespace app::control
