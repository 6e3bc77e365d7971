#include "src/app/process/program_path.hpp"

namespace app {

const std::filesystem::path& program_path() {
  std::error_code ignored;
  static const auto path = std::filesystem::read_symlink("/proc/self/exe", ignored);
  return path;
}

}  // namespace app
