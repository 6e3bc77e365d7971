#include "src/app/drivers/driver_file.hpp"

#include <dlfcn.h>

#include <filesystem>
#include <optional>

#include "src/app/drivers/known_symbols.hpp"
#include "src/app/drivers/layout_note.hpp"
#include "src/app/process/program_path.hpp"

namespace app {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEntryPoint = "DriverEntry";

std::optional<std::string> undefined_symbol(const std::string& message) {
  constexpr std::string_view kMark = "undefined symbol: ";
  const auto at = message.find(kMark);
  if (at == std::string::npos) return std::nullopt;
  const auto begin = at + kMark.size();
  return message.substr(begin, message.find_first_of(" \t,)", begin) - begin);
}

}  // namespace

std::vector<std::string> driver_folders() {
  const auto folder = program_path().parent_path();
  return {(folder / "drivers").string(), (folder / "../lib/wfptap/drivers").lexically_normal().string()};
}

Parsed<DriverPath> find_driver(const std::string& name_or_path, const std::vector<std::string>& folders) {
  using P = Parsed<DriverPath>;
  std::error_code ignored;
  if (name_or_path.empty()) return P::error("a driver's name is empty");
  if (is_driver_path(name_or_path)) {
    const auto path = fs::absolute(name_or_path, ignored).lexically_normal();
    if (!fs::is_regular_file(path, ignored)) return P::error("driver " + name_or_path + ": there is no such file");
    return DriverPath{driver_name_of(name_or_path), path.string()};
  }
  std::string looked;
  for (const auto& folder : folders) {
    const auto path = fs::path(folder) / (name_or_path + ".so");
    if (fs::is_regular_file(path, ignored)) return DriverPath{name_or_path, path.string()};
    looked += (looked.empty() ? "" : ", ") + folder;
  }
  return P::error("no driver is called '" + name_or_path + "': there is no " + name_or_path + ".so in " + looked +
                  "; give the path of a shared object instead");
}

std::string explain_load_error(const std::string& path, const std::string& linker_message) {
  const auto symbol = undefined_symbol(linker_message);
  if (!symbol)  // the linker begins with the path
    return "driver " + (linker_message.starts_with(path + ": ") ? "" : path + ": ") + linker_message;
  const std::string what = "driver " + path + " needs " + *symbol + ", which wfptap does not have";
  if (const auto known = find_known_symbol(*symbol))
    return what + " yet; it is a documented function of " + std::string(known->header) +
           ", so this is a gap of wfptap and not a mistake of the driver";
  return what +
         "; no documented function that drivers use has this name: check its spelling and version digit, or link "
         "the library that it comes from";
}

Parsed<DriverFile> DriverFile::open(const DriverPath& path) {
  using P = Parsed<DriverFile>;
  if (auto refusal = explain_layout(path.path); !refusal.empty()) return P::error(std::move(refusal));
  void* handle = dlopen(path.path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return P::error(explain_load_error(path.path, dlerror()));
  DriverFile file{handle, path.path};
  file.entry_ = dlsym(handle, kEntryPoint);
  if (file.entry_ == nullptr)
    return P::error("driver " + path.path +
                    " has no DriverEntry; define NTSTATUS DriverEntry(PDRIVER_OBJECT, "
                    "PUNICODE_STRING), in C++ with extern \"C\", and do not hide it");
  return file;
}

void DriverFile::Close::operator()(void* handle) const { dlclose(handle); }

}  // namespace app
