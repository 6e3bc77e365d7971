// A service on the stack: it listens from start() until it is destroyed. make_service() knows them all by name.
// Stack's thread, all of it.
#pragma once

#include <string>

#include "src/app/services/connection.hpp"

namespace app::services {

struct ServiceStats {
  std::string name;
  std::uint16_t port = 0;
  std::size_t connections = 0;
  std::uint64_t accepted = 0;
  std::uint64_t displaced = 0;  // reset to make room when the bound on connections was reached
  std::uint64_t requests = 0;   // HTTP requests, datagrams answered
  std::uint64_t malformed = 0;  // what could not be answered
};

class Service {
 public:
  virtual ~Service() = default;
  // False when a port is taken or refused; `error` says which and why.
  virtual bool start(std::string& error) = 0;
  virtual ServiceStats stats() const = 0;
};

// `owner`: on whose behalf callouts see its endpoints. Null for a name that is no service.
std::unique_ptr<Service> make_service(const std::string& name, std::uint16_t port, Network& network, OwnerRef owner);

// The owner that a service has unless configured: process 4000 + its place, \device\harddiskvolume1\wfptap\NAME, the
// local service account.
OwnerRef default_owner(const std::string& name);

// Bytes that are no UTF-8 become U+FFFD.
std::u16string utf16(const std::string& utf8);
// The same in lower case, as paths are classified. ASCII letters only are folded.
std::u16string nt_path(const std::string& utf8);

}  // namespace app::services
