// The values of options that are more than a number: each parser takes the text of one option and gives the value or
// a sentence that says what is wrong and what would be right. No state, any thread.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "src/app/cli/options.hpp"

namespace app {

// A value, or the sentence to print.
template <typename T>
class [[nodiscard]] Parsed {
 public:
  Parsed(T value) : held_(std::in_place_index<0>, std::move(value)) {}
  static Parsed error(std::string sentence) {
    Parsed parsed;
    parsed.held_.template emplace<1>(std::move(sentence));
    return parsed;
  }
  explicit operator bool() const { return held_.index() == 0; }
  T& operator*() { return *std::get_if<0>(&held_); }
  T* operator->() { return std::get_if<0>(&held_); }
  const std::string& why() const { return *std::get_if<1>(&held_); }

 private:
  Parsed() : held_(std::in_place_index<1>) {}
  std::variant<T, std::string> held_;
};

Parsed<stack::IpPrefix> parse_cidr(std::string_view text);              // 10.77.0.2/24; the length is required
Parsed<stack::IpAddress> parse_address(std::string_view text);          // 10.77.0.1, fd77::1
Parsed<node::Impairment> parse_impairment(std::string_view text);       // loss=1%,delay=20ms,reorder=2%,duplicate=1%
Parsed<DriverParameter> parse_driver_parameter(std::string_view text);  // DRIVER:VALUE=DATA
Parsed<ServiceOption> parse_service(std::string_view text);             // NAME[:PORT]
Parsed<OwnerOption> parse_owner(std::string_view text);          // SERVICE:pid=4,path=\device\x\y,user=S-1-5-18
Parsed<stack::LogLevel> parse_log_level(std::string_view text);  // debug info warning error
Parsed<bool> parse_on_off(std::string_view text);
Parsed<OnHang> parse_on_hang(std::string_view text);                              // report stop
Parsed<stack::tcp::CongestionAlgorithm> parse_congestion(std::string_view text);  // cubic newreno
Parsed<std::size_t> parse_size(std::string_view text);          // 64M, 1G, 65536k; a bare number is bytes
Parsed<stack::Duration> parse_duration(std::string_view text);  // 20ms, 1.5s, 100us; a bare number is milliseconds

// A driver is given by the name of one that ships, or by a path: a text with a slash or that ends with .so.
bool is_driver_path(std::string_view name_or_path);
// The name that it has once it is loaded: passthrough of passthrough, tally of ./tally.so.
std::string driver_name_of(std::string_view name_or_path);

// A whole decimal number; nothing around it.
std::optional<std::uint64_t> parse_number(std::string_view text);

}  // namespace app
