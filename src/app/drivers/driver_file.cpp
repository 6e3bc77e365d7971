#include "src/app/drivers/driver_file.hpp"

#include <dlfcn.h>

#include <filesystem>
#include <memory>
#include <optional>

#include "src/app/drivers/elf_image.hpp"
#include "src/app/drivers/file_kind.hpp"
#include "src/app/drivers/known_symbols.hpp"
#include "src/app/drivers/layout_note.hpp"
#include "src/app/process/program_path.hpp"
#include "src/app/process/sanitizer.hpp"

namespace app {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEntryPoint = "DriverEntry";

// A driver's own functions come before those of the C and C++ libraries: in a kernel there are no others, and a driver may
// call its own connect, send, error or operator delete. The sanitizers cannot work under this flag; see why_not().
constexpr int kOpenFlags = RTLD_NOW | RTLD_LOCAL | (has_sanitizer() ? 0 : RTLD_DEEPBIND);

// Whether one of the libraries that the driver names has it. One that cannot be opened is the dynamic linker's to explain.
bool is_in_libraries(const std::string& name, const std::vector<std::string>& libraries) {
  for (const auto& library : libraries) {
    const std::unique_ptr<void, int (*)(void*)> handle(dlopen(library.c_str(), RTLD_LAZY | RTLD_LOCAL), dlclose);
    if (handle == nullptr || dlsym(handle.get(), name.c_str()) != nullptr) return true;
  }
  return false;
}

// All at once: the dynamic linker stops at the first.
std::vector<std::string> missing_imports(const std::string& path) {
  auto image = read_elf_image(path);
  if (!image) return {};
  std::erase_if(image->imports, [&](const auto& name) {
    return dlsym(RTLD_DEFAULT, name.c_str()) != nullptr || is_in_libraries(name, image->needed);
  });
  return image->imports;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// What can be said of a file before any code of it runs; empty: nothing stands against it.
std::string why_not(const std::string& path) {
  if (auto kind = explain_file_kind(path); !kind.empty()) return kind;
  if (auto layout = explain_layout(path); !layout.empty()) return layout;
  if (const auto missing = missing_imports(path); !missing.empty()) return explain_missing(path, missing);
  if (!has_sanitizer()) return {};
  const auto elsewhere = bound_elsewhere(path);
  if (elsewhere.empty()) return {};
  return "driver " + path +
         " has functions of its own whose names are also in the libraries of this sanitizer build, " +
         "and its calls would end there: " + joined(elsewhere) + "; link it with -Wl,-Bsymbolic";
}

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
    if (!fs::exists(path, ignored)) return P::error("driver " + name_or_path + ": there is no such file");
    // Reading one to its end may never come back.
    if (!fs::is_regular_file(path, ignored) && !fs::is_directory(path, ignored))
      return P::error("driver " + name_or_path + ": it is a device, a FIFO or a socket; a driver is a shared object");
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

std::string explain_missing(const std::string& path, const std::vector<std::string>& names) {
  std::string documented, unknown;
  for (const auto& name : names) {
    const auto known = find_known_symbol(name);
    auto& list = known ? documented : unknown;
    list += (list.empty() ? "" : ", ") + name + (known ? " (" + std::string(known->header) + ")" : "");
  }
  std::string text = "driver " + path + " needs ";
  if (!documented.empty())
    text +=
        documented + ", which wfptap does not have yet: documented, so a gap of wfptap and no mistake of the driver";
  if (!unknown.empty())
    text += (documented.empty() ? "" : "; and it needs ") + unknown +
            ", which wfptap does not have; no documented function that drivers use has this name: check spelling and "
            "version digit, or link the library that it comes from";
  return text;
}

std::string explain_load_error(const std::string& path, const std::string& linker_message) {
  if (const auto symbol = undefined_symbol(linker_message)) return explain_missing(path, {*symbol});
  // The linker begins with the path.
  return "driver " + (linker_message.starts_with(path + ": ") ? "" : path + ": ") + linker_message;
}

std::vector<std::string> bound_elsewhere(const std::string& path) {
  auto image = read_elf_image(path);
  if (!image) return {};
  std::erase_if(image->interposable,
                [](const auto& name) { return name == kEntryPoint || dlsym(RTLD_DEFAULT, name.c_str()) == nullptr; });
  return image->interposable;
}

Parsed<DriverFile> DriverFile::open(const DriverPath& path) {
  using P = Parsed<DriverFile>;
  if (auto refusal = why_not(path.path); !refusal.empty()) return P::error(std::move(refusal));
  void* handle = dlopen(path.path.c_str(), kOpenFlags);
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
