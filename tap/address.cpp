#include "tap/address.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>

namespace tap {

Result<IpPrefix> parse_prefix(std::string_view text) {
  const std::string action = "reading the address '" + std::string{text} + "'";
  const std::size_t slash = text.find('/');
  const std::string address{text.substr(0, slash)};

  IpPrefix prefix;
  prefix.is_v6 = address.find(':') != std::string::npos;
  if (::inet_pton(prefix.is_v6 ? AF_INET6 : AF_INET, address.c_str(), prefix.bytes.data()) != 1)
    return make_error(EINVAL, action, "write it like 10.77.0.1/24 or fd77::1/64");

  const unsigned bits = prefix.is_v6 ? 128 : 32;
  unsigned length = bits;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (fault != std::errc{} || end != digits.data() + digits.size() || length > bits)
      return make_error(EINVAL, action, "the prefix length is 0 to " + std::to_string(bits));
  }
  prefix.length = static_cast<std::uint8_t>(length);
  return prefix;
}

std::string to_string(const IpPrefix& prefix) {
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(prefix.is_v6 ? AF_INET6 : AF_INET, prefix.bytes.data(), text, sizeof text);
  return std::string{text} + '/' + std::to_string(prefix.length);
}

}  // namespace tap
