#include "src/app/drivers/driver_image.hpp"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "wfp/ledger/place.hpp"

namespace app {
namespace {

struct Code {
  std::uintptr_t base = 0;
  std::uintptr_t begin = std::numeric_limits<std::uintptr_t>::max(), end = 0;
  bool found = false;
};

int look_at(dl_phdr_info* info, std::size_t, void* wanted) {
  auto& code = *static_cast<Code*>(wanted);
  if (info->dlpi_addr != code.base) return 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
    const auto begin = code.base + segment.p_vaddr;
    code.begin = std::min(code.begin, begin);
    code.end = std::max(code.end, begin + segment.p_memsz);
    code.found = true;
  }
  return 1;
}

}  // namespace

DriverImage::DriverImage(void* handle, const std::string& path) {
  const link_map* map = nullptr;
  if (dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0 || map == nullptr) return;
  Code code{.base = map->l_addr};
  dl_iterate_phdr(look_at, &code);
  base_ = code.base;
  is_known_ = code.found && wfp::ledger::add_image(path, code.base, code.begin, code.end);
}

DriverImage::DriverImage(DriverImage&& other) noexcept
    : base_(other.base_), is_known_(std::exchange(other.is_known_, false)) {}

DriverImage& DriverImage::operator=(DriverImage&& other) noexcept {
  std::swap(base_, other.base_);
  std::swap(is_known_, other.is_known_);
  return *this;
}

DriverImage::~DriverImage() {
  if (is_known_) wfp::ledger::remove_image(base_);
}

}  // namespace app
