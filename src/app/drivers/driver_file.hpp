// Finding a driver's file and its entry point: from the name of one that ships, or a path. One that was built against
// another layout of the structures is refused before it is mapped (layout_note.hpp). Mapping it keeps its symbols to
// itself; what it needs must be in the program. Errors say what was looked for and what to do.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/app/cli/option_values.hpp"
#include "src/app/drivers/driver_image.hpp"

namespace app {

struct DriverPath {
  std::string name;  // passthrough; also the name of its registry key
  std::string path;
};

// Where drivers that ship are looked for: beside the program in drivers/, then in the install's lib/wfptap/drivers.
std::vector<std::string> driver_folders();

// A text with a slash or that ends with .so is a path; anything else a name.
Parsed<DriverPath> find_driver(const std::string& name_or_path, const std::vector<std::string>& folders);

class DriverFile {
 public:
  static Parsed<DriverFile> open(const DriverPath& path);  // maps it and runs its constructors
  DriverFile(DriverFile&&) = default;
  DriverFile& operator=(DriverFile&&) = default;
  ~DriverFile() = default;  // unmaps it

  void* entry() const { return entry_; }  // its DriverEntry
  void keep_mapped() {                    // for good: its code is still in use
    (void)handle_.release();
    image_.keep();
  }

 private:
  struct Close {
    void operator()(void* handle) const;
  };
  DriverFile(void* handle, const std::string& path) : handle_(handle), image_(handle, path) {}
  std::unique_ptr<void, Close> handle_;
  DriverImage image_;  // gone before the code is
  void* entry_ = nullptr;
};

// Names of functions that wfptap does not have, in words for a driver's author.
std::string explain_missing(const std::string& path, const std::vector<std::string>& names);
// Names that the driver defines and that the program or its libraries define, too, where the driver's own calls would end
// if it were mapped without RTLD_DEEPBIND.
std::vector<std::string> bound_elsewhere(const std::string& path);
// The dynamic linker's message in words for a driver's author.
std::string explain_load_error(const std::string& path, const std::string& linker_message);

}  // namespace app
