// The name of a connection: both ends, as seen from this host; and its hash with a secret key, because outsiders
// choose one side of it.
#pragma once

#include <array>
#include <cstring>

#include "stack/base/address.hpp"
#include "stack/base/hash.hpp"

namespace stack::tcp {

struct FourTuple {
  SocketAddress local;
  SocketAddress remote;
  bool operator==(const FourTuple&) const = default;

  // 16 bytes of each address and both ports; what `salt` tells apart are the uses of one key.
  std::uint64_t hash(const SipKey& key, std::uint64_t salt = 0) const {
    std::array<std::byte, 44> bytes{};
    const Bytes from = local.address.bytes();
    const Bytes to = remote.address.bytes();
    std::memcpy(bytes.data(), from.data(), from.size());
    std::memcpy(bytes.data() + 16, to.data(), to.size());
    store_be16(bytes, 32, local.port);
    store_be16(bytes, 34, remote.port);
    std::memcpy(bytes.data() + 36, &salt, sizeof salt);
    return siphash(key, bytes);
  }
};

struct FourTupleHash {
  SipKey key;
  std::size_t operator()(const FourTuple& tuple) const { return tuple.hash(key); }
};

}  // namespace stack::tcp
