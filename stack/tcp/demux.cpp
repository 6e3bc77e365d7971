#include "stack/tcp/demux.hpp"

namespace stack::tcp {

std::shared_ptr<Listener> Demux::find_listener(const SocketAddress& local) const {
  auto found = listeners_.find(key_of(local));
  if (found == listeners_.end())
    found = listeners_.find(key_of({IpAddress::any(local.address.family()), local.port}));
  return found == listeners_.end() ? nullptr : found->second;
}

}  // namespace stack::tcp
