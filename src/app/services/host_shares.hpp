// Which connections of a service belong to which host, in the order of their last progress, so that a full service gives
// up the idlest connection of the host that has the most: nobody else can be shut out by it. A host is an IPv4 address or
// an IPv6 /64. Owns nothing; a connection is removed before it goes. Every call takes O(log n).
#pragma once

#include <list>
#include <map>
#include <set>
#include <utility>

#include "stack/base/address.hpp"

namespace app::services {

class Connection;

class HostShares {
  using Connections = std::list<Connection*>;  // idlest first

 public:
  class Place {
    friend class HostShares;
    stack::IpAddress host;
    Connections::iterator at;
  };

  Place add(Connection& connection, const stack::IpAddress& remote);
  void remove(const Place& place);
  void progressed(const Place& place);  // it is the least idle of its host now

  Connection* idlest_of_largest() const;  // null: there is none

 private:
  void count(const stack::IpAddress& host, std::size_t before, std::size_t now);

  std::map<stack::IpAddress, Connections> hosts_;
  std::set<std::pair<std::size_t, stack::IpAddress>> by_size_;
};

}  // namespace app::services
