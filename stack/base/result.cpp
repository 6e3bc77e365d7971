#include "stack/base/result.hpp"

namespace stack {

std::string_view name_of(Error error) {
  switch (error) {
    case Error::None:
      return "none";
    case Error::WouldBlock:
      return "would block";
    case Error::InProgress:
      return "in progress";
    case Error::AddressInUse:
      return "address in use";
    case Error::AddressNotAvailable:
      return "address not available";
    case Error::AlreadyConnected:
      return "already connected";
    case Error::NotConnected:
      return "not connected";
    case Error::ConnectionRefused:
      return "connection refused";
    case Error::ConnectionReset:
      return "connection reset";
    case Error::ConnectionAborted:
      return "connection aborted";
    case Error::TimedOut:
      return "timed out";
    case Error::NetworkUnreachable:
      return "network unreachable";
    case Error::HostUnreachable:
      return "host unreachable";
    case Error::MessageTooLarge:
      return "message too large";
    case Error::NoBuffers:
      return "no buffers";
    case Error::AccessDenied:
      return "access denied";
    case Error::Invalid:
      return "invalid argument";
    case Error::Closed:
      return "closed";
  }
  return "unknown";
}

}  // namespace stack
