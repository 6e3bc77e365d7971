// What a failed set-up step says to its caller: an errno value and one sentence naming what was wrong and what to do.
// tap/ throws nothing and logs nothing; whoever started it prints the sentence.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace tap {

struct Error {
  int code = 0;      // an errno value; 0: no error
  std::string what;  // for people

  explicit operator bool() const { return code != 0; }
};

// "action: reason of errno value `code` (advice)".
Error make_error(int code, std::string_view action, std::string_view advice = {});

// A value or an Error. Reading the wrong one is a bug of the caller; std::get_if makes it a null dereference, not a
// silent default.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::move(value)) {}
  Result(Error error) : held_(std::move(error)) {}

  explicit operator bool() const { return std::holds_alternative<T>(held_); }
  T& operator*() { return *std::get_if<T>(&held_); }
  const T& operator*() const { return *std::get_if<T>(&held_); }
  T* operator->() { return std::get_if<T>(&held_); }
  const T* operator->() const { return std::get_if<T>(&held_); }
  const Error& error() const { return *std::get_if<Error>(&held_); }

 private:
  std::variant<T, Error> held_;
};

}  // namespace tap
