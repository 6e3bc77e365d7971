#include "src/app/services/http_request.hpp"

#include <strings.h>

#include <algorithm>

namespace app::services {
namespace {

stack::Bytes piece(const char* at, std::size_t size) { return std::as_bytes(std::span{at, size}); }
HttpRequestReader& reader(http_parser* parser) { return *static_cast<HttpRequestReader*>(parser->data); }
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
  header_bytes_ = 0;
  in_value_ = begun_ = headers_complete_ = false;
}

std::size_t HttpRequestReader::feed(stack::Bytes bytes) {
  if (state_ != State::Reading || bytes.empty()) return 0;
  begun_ = true;
  const std::size_t taken =
      http_parser_execute(&parser_, &settings(), reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto error = HTTP_PARSER_ERRNO(&parser_);
  if (state_ == State::Reading && error != HPE_OK)
    state_ = error == HPE_HEADER_OVERFLOW ? State::HeadersTooLarge : State::Malformed;
  return std::min(taken, bytes.size());
}

int HttpRequestReader::refuse(State why) {
  state_ = why;
  return -1;
}

int HttpRequestReader::on_target(stack::Bytes bytes) {
  append(target_, bytes);
  return target_.size() > kMaxTargetBytes ? refuse(State::TargetTooLong) : 0;
}

int HttpRequestReader::on_header_field(stack::Bytes bytes) {
  header_bytes_ += bytes.size();
  if (header_bytes_ > kMaxHeaderBytes) return refuse(State::HeadersTooLarge);
  if (in_value_) field_.clear(), value_.clear();
  in_value_ = false;
  append(field_, bytes);
  return 0;
}

int HttpRequestReader::on_header_value(stack::Bytes bytes) {
  header_bytes_ += bytes.size();
  if (header_bytes_ > kMaxHeaderBytes) return refuse(State::HeadersTooLarge);
  in_value_ = true;
  append(value_, bytes);
  if (::strcasecmp(field_.c_str(), "expect") == 0)
    request_.expects_continue = ::strcasecmp(value_.c_str(), "100-continue") == 0;
  return 0;
}

int HttpRequestReader::on_headers_complete() {
  headers_complete_ = true;
  parser_.upgrade = 0;  // we speak nothing else; RFC 9110 7.8 lets a server ignore the wish
  request_.method = http_method_str(static_cast<http_method>(parser_.method));
  request_.version_minor = parser_.http_minor;
  request_.keep_alive = http_should_keep_alive(&parser_) != 0;
  if (parser_.http_major != 1 || !set_path()) return refuse(State::Malformed);
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
