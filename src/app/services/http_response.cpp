#include "src/app/services/http_response.hpp"

#include <charconv>
#include <optional>
#include <string_view>

namespace app::services {
namespace {

constexpr std::string_view kPage =
    "<!doctype html>\n<html><head><title>wfptap</title></head>\n"
    "<body><h1>It works</h1><p>This page comes from a TCP/IP stack in user space.</p></body></html>\n";

std::string_view reason_of(int status) {
  switch (status) {
#define XX(number, name, text) \
  case number:                 \
    return #text;
    HTTP_STATUS_MAP(XX)
#undef XX
    default:
      return "Unknown";
  }
}

bool forbids_body(int status) { return status == 204 || status == 304; }  // RFC 9110 6.4.1

HttpResponse status_page(int status, std::string explanation = {}) {
  HttpResponse response;
  response.status = status;
  if (!forbids_body(status))
    response.text = std::to_string(status) + " " + std::string(reason_of(status)) +
                    (explanation.empty() ? "" : ": " + explanation) + "\n";
  return response;
}

// The N of a path such as /bytes/N, which begins with `prefix`.
struct Argument {
  bool matches = false;
  std::optional<std::uint64_t> number;
};
Argument argument_of(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return {};
  path.remove_prefix(prefix.size());
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(path.data(), path.data() + path.size(), value);
  if (error != std::errc{} || end != path.data() + path.size()) return {true, std::nullopt};
  return {true, value};
}

HttpResponse pattern_of(const Argument& size, std::uint64_t limit, HttpResponse::Body kind) {
  if (!size.number || *size.number > limit)
    return status_page(400, "a number of bytes up to " + std::to_string(limit) + " belongs here");
  HttpResponse response;
  response.content_type = "application/octet-stream";
  response.body = kind;
  response.pattern_size = *size.number;
  return response;
}

HttpResponse chosen_status(const Argument& status) {
  if (!status.number || *status.number < 200 || *status.number > 599)
    return status_page(400, "a final status from 200 to 599 belongs here");
  return status_page(static_cast<int>(*status.number));
}

HttpResponse echo_of(HttpRequest& request) {
  HttpResponse response;
  response.content_type = "application/octet-stream";
  response.body = HttpResponse::Body::Echo;
  response.echo = std::move(request.body);
  return response;
}

HttpResponse resource(HttpRequest& request) {
  const std::string_view path = request.path;
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (path == "/echo") return echo_of(request);
  if (const auto status = argument_of(path, "/status/"); status.matches) return chosen_status(status);
  if (!reads) {
    auto response = status_page(405, "only /echo and /status/N take " + request.method);
    response.headers = "Allow: GET, HEAD\r\n";
    return response;
  }
  if (path == "/") {
    HttpResponse page;
    page.content_type = "text/html; charset=utf-8";
    page.text = kPage;
    return page;
  }
  if (const auto size = argument_of(path, "/bytes/"); size.matches)
    return pattern_of(size, kMaxPatternBytes, HttpResponse::Body::Pattern);
  if (const auto size = argument_of(path, "/slow/"); size.matches)
    return pattern_of(size, kMaxSlowBytes, HttpResponse::Body::SlowPattern);
  return status_page(404, "there are /, /bytes/N, /echo, /status/N and /slow/N");
}

}  // namespace

std::uint64_t HttpResponse::body_size() const {
  switch (body) {
    case Body::Text:
      return text.size();
    case Body::Echo:
      return echo.size();
    default:
      return pattern_size;
  }
}

std::string HttpResponse::head() const {
  std::string head = "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason_of(status)) + "\r\n";
  head += "Server: wfptap\r\n" + headers;
  if (!forbids_body(status))
    head += "Content-Type: " + content_type + "\r\nContent-Length: " + std::to_string(body_size()) + "\r\n";
  head += close ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n";
  return head;
}

HttpResponse answer(HttpRequest& request) {
  auto response = resource(request);
  response.head_only = request.method == "HEAD";
  response.close = !request.keep_alive;
  return response;
}

HttpResponse answer(HttpRequestReader::State refused) {
  using State = HttpRequestReader::State;
  auto response = refused == State::BodyTooLarge      ? status_page(413, "at most 16 MiB")
                  : refused == State::TargetTooLong   ? status_page(414, "at most 2048 bytes")
                  : refused == State::UnknownCoding   ? status_page(501, "the one transfer coding here is chunked")
                  : refused == State::HeadersTooLarge ? status_page(431, "at most 16 KiB")
                                                      : status_page(400, "this is no HTTP/1 request");
  response.close = true;
  return response;
}

}  // namespace app::services
