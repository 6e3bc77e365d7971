// The library says by an exception that the system has no thread left; a person wants a sentence.
#pragma once

#include <string>
#include <system_error>

namespace app {

inline std::string no_thread_sentence(const std::system_error& failure) {
  if (failure.code() != std::errc::resource_unavailable_try_again) return failure.what();
  return std::string("cannot start a thread: ") + failure.code().message() +
         "; raise the limit of processes (ulimit -u, or pids.max of the cgroup)";
}

}  // namespace app
