#include "src/app/services/http_request.hpp"

#include <strings.h>

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

namespace app::services {
namespace {

stack::Bytes piece(const char* at, std::size_t size) { return std::as_bytes(std::span{at, size}); }
HttpRequestReader& reader(http_parser* parser) { return *static_cast<HttpRequestReader*>(parser->data); }
// RFC 9110 5.6.2. http-parser takes a space as part of a name.
bool is_token(std::byte byte) {
  const auto c = static_cast<unsigned char>(byte);
  return std::isalnum(c) != 0 ||
         std::string_view{"!#$%&'*+-.^_`|~"}.find(static_cast<char>(c)) != std::string_view::npos;
}
// RFC 9112 3.2: what a URI can have, so no blanks, no controls and nothing beyond ASCII.
bool is_target_byte(std::byte byte) { return byte > std::byte{0x20} && byte < std::byte{0x7f}; }
// uri-host [ ":" port ], RFC 9112 3.2; empty is allowed.
bool is_host_byte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view{"-._~%!$&'()*+,;=:[]"}.find(c) != std::string_view::npos;
}
void append(std::string& to, stack::Bytes bytes) {
  to.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace

const http_parser_settings& HttpRequestReader::settings() {
  static const http_parser_settings kSettings = [] {
    http_parser_settings s;
    http_parser_settings_init(&s);
    s.on_url = [](http_parser* p, const char* at, std::size_t n) { return reader(p).on_target(piece(at, n)); };
    s.on_header_field = [](http_parser* p, const char* at, std::size_t n) {
      return reader(p).on_header_field(piece(at, n));
    };
    s.on_header_value = [](http_parser* p, const char* at, std::size_t n) {
      return reader(p).on_header_value(piece(at, n));
    };
    s.on_headers_complete = [](http_parser* p) { return reader(p).on_headers_complete(); };
    s.on_chunk_header = [](http_parser* p) { return reader(p).on_chunk_header(); };
    s.on_body = [](http_parser* p, const char* at, std::size_t n) { return reader(p).on_body(piece(at, n)); };
    s.on_message_complete = [](http_parser* p) { return reader(p).on_complete(); };
    return s;
  }();
  return kSettings;
}

HttpRequestReader::HttpRequestReader() { next(); }

void HttpRequestReader::next() {
  http_parser_init(&parser_, HTTP_REQUEST);
  parser_.data = this;
  state_ = State::Reading;
  request_ = {};
  target_.clear();
  field_.clear();
  value_.clear();
  framing_ = {};
  header_bytes_ = hosts_ = 0;
  has_coding_ = false;
  in_value_ = begun_ = headers_complete_ = false;
}

std::size_t HttpRequestReader::feed(stack::Bytes bytes) {
  if (state_ != State::Reading || bytes.empty()) return 0;
  begun_ = true;
  std::size_t taken = 0;
  while (state_ == State::Reading && taken < bytes.size()) {
    const auto piece = framing_.next(bytes.subspan(taken));
    if (piece.empty())
      state_ = State::Malformed;
    else
      taken += execute(piece);
  }
  return taken;
}

std::size_t HttpRequestReader::execute(stack::Bytes piece) {
  const std::size_t taken =
      http_parser_execute(&parser_, &settings(), reinterpret_cast<const char*>(piece.data()), piece.size());
  const auto error = HTTP_PARSER_ERRNO(&parser_);
  if (state_ == State::Reading && error != HPE_OK)
    state_ = error == HPE_HEADER_OVERFLOW ? State::HeadersTooLarge : State::Malformed;
  return std::min(taken, piece.size());
}

int HttpRequestReader::refuse(State why) {
  state_ = why;
  return -1;
}

int HttpRequestReader::on_target(stack::Bytes bytes) {
  framing_.on_target();
  append(target_, bytes);
  if (!std::ranges::all_of(bytes, is_target_byte)) return refuse(State::Malformed);
  return target_.size() > kMaxTargetBytes ? refuse(State::TargetTooLong) : 0;
}

int HttpRequestReader::on_header_field(stack::Bytes bytes) {
  header_bytes_ += bytes.size();
  if (header_bytes_ > kMaxHeaderBytes) return refuse(State::HeadersTooLarge);
  if (in_value_ && finish_field() != 0) return -1;
  append(field_, bytes);
  return std::ranges::all_of(bytes, is_token) ? 0 : refuse(State::Malformed);
}

int HttpRequestReader::on_header_value(stack::Bytes bytes) {
  header_bytes_ += bytes.size();
  if (header_bytes_ > kMaxHeaderBytes) return refuse(State::HeadersTooLarge);
  in_value_ = true;
  append(value_, bytes);
  return 0;
}

int HttpRequestReader::finish_field() {
  const auto is = [](const std::string& text, const char* other) { return ::strcasecmp(text.c_str(), other) == 0; };
  const std::string field = std::exchange(field_, {});
  std::string value = std::exchange(value_, {});
  value.erase(value.find_last_not_of(" \t") + 1);  // RFC 9112 5.1; http-parser leaves what is behind it
  in_value_ = false;
  if (headers_complete_) return 0;  // a trailer says nothing about the message (RFC 9110 6.5.1)
  if (is(field, "expect")) request_.expects_continue = is(value, "100-continue");
  if (is(field, "host") && (++hosts_ > 1 || !std::ranges::all_of(value, is_host_byte)))
    return refuse(State::Malformed);
  return is(field, "transfer-encoding") ? take_coding(value) : 0;
}

// RFC 9112 6.1 and 6.3: chunked is the one coding that is known here, and the last one, once. HTTP/1.0 has none, so that
// where such a message ends is anybody's guess.
int HttpRequestReader::take_coding(const std::string& value) {
  static constexpr std::string_view kChunked = "chunked";
  std::string lower = value;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (std::exchange(has_coding_, true) || parser_.http_minor == 0) return refuse(State::Malformed);
  if (lower == kChunked) return 0;
  const bool ends_chunked = lower.size() > kChunked.size() &&
                            lower.find(kChunked) == lower.size() - kChunked.size() &&
                            !is_token(static_cast<std::byte>(lower[lower.size() - kChunked.size() - 1]));
  return refuse(ends_chunked ? State::UnknownCoding : State::Malformed);
}

int HttpRequestReader::on_headers_complete() {
  if (in_value_ && finish_field() != 0) return -1;
  headers_complete_ = true;
  framing_.on_body((parser_.flags & F_CHUNKED) != 0);
  parser_.upgrade = 0;  // we speak nothing else; RFC 9110 7.8 lets a server ignore the wish
  request_.method = http_method_str(static_cast<http_method>(parser_.method));
  request_.version_minor = parser_.http_minor;
  request_.keep_alive = http_should_keep_alive(&parser_) != 0;
  if (parser_.http_major != 1 || !set_path()) return refuse(State::Malformed);
  if (parser_.http_minor > 0 && hosts_ == 0) return refuse(State::Malformed);  // RFC 9112 3.2
  if ((parser_.flags & F_CONTENTLENGTH) != 0 && parser_.content_length > kMaxRequestBody)
    return refuse(State::BodyTooLarge);
  return 0;
}

// Origin form and absolute form alike (RFC 9112 3.2).
bool HttpRequestReader::set_path() {
  if (target_ == "*") return request_.path = target_, true;
  http_parser_url url;
  http_parser_url_init(&url);
  if (http_parser_parse_url(target_.data(), target_.size(), parser_.method == HTTP_CONNECT, &url) != 0) return false;
  const auto& part = url.field_data[UF_PATH];
  request_.path = (url.field_set & (1 << UF_PATH)) != 0 ? target_.substr(part.off, part.len) : "/";
  return true;
}

int HttpRequestReader::on_chunk_header() {
  framing_.on_chunk(parser_.content_length);
  return 0;
}

int HttpRequestReader::on_body(stack::Bytes bytes) {
  if (request_.body.size() + bytes.size() > kMaxRequestBody) return refuse(State::BodyTooLarge);
  request_.body.insert(request_.body.end(), bytes.begin(), bytes.end());
  return 0;
}

int HttpRequestReader::on_complete() {
  state_ = State::Complete;
  http_parser_pause(&parser_, 1);
  return 0;
}

}  // namespace app::services
