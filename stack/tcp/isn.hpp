// First sequence numbers (RFC 6528): a clock of 4 us that moves a connection's numbers forward between incarnations,
// plus a keyed hash of its ends that nobody outside can compute. The timestamps' offset is made the same way (RFC
// 7323 5.4).
#pragma once

#include "stack/base/rng.hpp"
#include "stack/base/seq.hpp"
#include "stack/base/time.hpp"
#include "stack/tcp/four_tuple.hpp"

namespace stack::tcp {

class IsnGenerator {
 public:
  explicit IsnGenerator(RandomSource& random) : key_{random.next(), random.next()} {}

  Seq make(const FourTuple& tuple, Instant now) const;
  // For a connection that takes the place of one in TIME_WAIT: beyond everything that one had sent (RFC 9293 3.6.1).
  Seq make_after(const FourTuple& tuple, Seq used, Instant now) const;
  std::uint32_t timestamp_offset(const FourTuple& tuple) const;

 private:
  SipKey key_;
};

}  // namespace stack::tcp
