// Function, file and line of an offset in a shared object or program, by libdw: from its debug information, else from
// its symbols. Reads files, takes memory and may take its time: for a supervisor or a helper process, never for a
// thread that moves packets, and never in a signal handler.
//
// One thread. A file stays open until it is seen to be another one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "src/app/places/source_frame.hpp"

namespace app {

class Resolver {
 public:
  static constexpr std::size_t kMaxInlined = 16;  // frames of one offset
  static constexpr std::size_t kMaxOpen = 16;     // files at a time

  Resolver();
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Innermost first, at least one. Functions of wfptap's own headers, inlined into a driver, are left out.
  std::vector<SourceFrame> frames_of(const std::string& image, std::uint64_t offset);

 private:
  class Module;
  Module* module_of(const std::string& image);
  std::map<std::string, std::unique_ptr<Module>> modules_;
};

}  // namespace app
