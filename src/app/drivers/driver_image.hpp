// Makes a mapped driver's code known to the ledger while it lives, so that places in it can be told from ours.
#pragma once

#include <cstdint>
#include <string>

namespace app {

class DriverImage {
 public:
  DriverImage() = default;
  // `handle` of dlopen. `path` is what messages and the search for debug information go by.
  DriverImage(void* handle, const std::string& path);
  DriverImage(DriverImage&& other) noexcept;
  DriverImage& operator=(DriverImage&& other) noexcept;
  ~DriverImage();

  void keep() { is_known_ = false; }  // for good: its code stays

 private:
  std::uintptr_t base_ = 0;
  bool is_known_ = false;
};

}  // namespace app
