// What the http service answers: the resources that it has, as a status, headers and where the body comes from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/app/services/http_request.hpp"

namespace app::services {

inline constexpr std::uint64_t kMaxPatternBytes = std::uint64_t{1} << 40;  // /bytes/N
inline constexpr std::uint64_t kMaxSlowBytes = std::uint64_t{1} << 24;     // /slow/N
inline constexpr int kSlowPieces = 10;                                     // at most, 100 ms apart

struct HttpResponse {
  enum class Body { Text, Echo, Pattern, SlowPattern };

  int status = 200;
  std::string headers;  // further lines, each with CR LF
  std::string content_type = "text/plain; charset=utf-8";
  Body body = Body::Text;
  std::string text;                // Text
  std::vector<std::byte> echo;     // Echo
  std::uint64_t pattern_size = 0;  // Pattern, SlowPattern
  bool head_only = false;          // the request was HEAD: lengths as for GET, no body
  bool close = false;

  std::uint64_t body_size() const;
  bool has_body() const { return !head_only && body_size() > 0; }
  std::string head() const;  // status line and header section
};

// The answer to a complete request; takes its body.
HttpResponse answer(HttpRequest& request);
// The answer to one that was refused while it was read.
HttpResponse answer(HttpRequestReader::State refused);

}  // namespace app::services
