// What the steps of segment processing want done beyond changing the Tcb. Endpoint carries it out; tests record it.
#pragma once

#include "stack/base/result.hpp"
#include "stack/tcp/segment.hpp"
#include "stack/tcp/state.hpp"

namespace stack::tcp {

class Actions {
 public:
  virtual ~Actions() = default;
  // The one door to a new state; checked against is_legal().
  virtual void enter(State next) = 0;
  // The handshake is complete. False: somebody does not want the connection, and it is being reset.
  virtual bool established(Segment& segment) = 0;
  // <SEQ=seq><CTL=RST>: answers a segment whose acknowledgement is unacceptable; this connection stays as it is.
  virtual void reset_peer(Seq seq) = 0;
  // The connection is over without another segment from us (the peer reset it, its last FIN was acknowledged).
  virtual void close(Error reason) = 0;
  // The connection is over and the peer is told by a RST.
  virtual void abort(Error reason) = 0;
  // There is something to read, the end of the stream included.
  virtual void readable() = 0;
  // The send buffer has room again.
  virtual void writable() = 0;
  // The segment is given up: counted and shown.
  virtual void drop(Segment& segment, Drop reason) = 0;
};

enum class Step : std::uint8_t { Continue, Stop };

}  // namespace stack::tcp
