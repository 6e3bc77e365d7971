// Reads HTTP requests (RFC 9112) from a byte stream, one at a time, with http-parser, and refuses what that takes but the
// RFC does not: see HttpFraming, and finish_field(). Bounded in every part: the target, the header section, the body.
// After a request is complete it stops at its last byte, so that what is pipelined behind it waits.
#pragma once

#include <http_parser.h>

#include <string>
#include <vector>

#include "src/app/services/http_framing.hpp"
#include "stack/base/bytes.hpp"

namespace app::services {

inline constexpr std::size_t kMaxTargetBytes = 2048;
inline constexpr std::size_t kMaxHeaderBytes = 16 * 1024;
inline constexpr std::size_t kMaxRequestBody = 16 << 20;

struct HttpRequest {
  std::string method;
  std::string path;  // without the query
  int version_minor = 1;
  bool keep_alive = true;
  bool expects_continue = false;
  std::vector<std::byte> body;
};

class HttpRequestReader {
 public:
  enum class State { Reading, Complete, Malformed, UnknownCoding, TargetTooLong, HeadersTooLarge, BodyTooLarge };

  HttpRequestReader();
  HttpRequestReader(const HttpRequestReader&) = delete;
  HttpRequestReader& operator=(const HttpRequestReader&) = delete;

  // Takes bytes until the request is complete or refused; returns how many. Call next() before feeding the one
  // behind.
  std::size_t feed(stack::Bytes bytes);
  void next();

  State state() const { return state_; }
  bool headers_complete() const { return headers_complete_; }
  bool has_begun() const { return begun_; }  // a byte of the request has been seen
  const HttpRequest& request() const { return request_; }
  HttpRequest& request() { return request_; }

 private:
  static const http_parser_settings& settings();
  std::size_t execute(stack::Bytes piece);
  int refuse(State why);
  int on_target(stack::Bytes piece);
  int on_header_field(stack::Bytes piece);
  int on_header_value(stack::Bytes piece);
  int finish_field();  // its value is complete
  int take_coding(const std::string& value);
  int on_headers_complete();
  int on_chunk_header();
  int on_body(stack::Bytes piece);
  int on_complete();
  bool set_path();

  http_parser parser_{};
  HttpFraming framing_;
  State state_ = State::Reading;
  HttpRequest request_;
  std::string target_, field_, value_;
  std::size_t header_bytes_ = 0;
  std::size_t hosts_ = 0;
  bool has_coding_ = false;
  bool in_value_ = false;
  bool begun_ = false;
  bool headers_complete_ = false;
};

}  // namespace app::services
