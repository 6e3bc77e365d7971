// Result of something that can fail on outside input: a value or the Drop reason; and of an operation that an
// application asked for: a value or an Error.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "stack/base/assert.hpp"
#include "stack/base/drop.hpp"

namespace stack {

// T or the reason why there is none.
template <typename T>
class Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT: a value is a result
  Result(Drop drop) : drop_(drop) {}             // NOLINT: so is a reason

  explicit operator bool() const { return value_.has_value(); }
  T& operator*() & { return checked(); }
  const T& operator*() const& { return const_cast<Result*>(this)->checked(); }
  T&& operator*() && { return std::move(checked()); }
  T* operator->() { return &checked(); }
  const T* operator->() const { return &const_cast<Result*>(this)->checked(); }
  Drop drop() const {
    DCHECK(!value_);
    return drop_;
  }

 private:
  T& checked() {
    DCHECK(value_.has_value());
    return *value_;
  }
  std::optional<T> value_;
  Drop drop_{};
};

// Why an operation of the socket interface failed.
enum class Error : std::uint8_t {
  None,
  WouldBlock,
  InProgress,
  AddressInUse,
  AddressNotAvailable,
  AlreadyConnected,
  NotConnected,
  ConnectionRefused,
  ConnectionReset,
  ConnectionAborted,
  TimedOut,
  NetworkUnreachable,
  HostUnreachable,
  MessageTooLarge,
  NoBuffers,
  AccessDenied,
  Invalid,
  Closed,
};

std::string_view name_of(Error error);

}  // namespace stack
