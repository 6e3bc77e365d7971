#include "src/app/places/resolver.hpp"

#include <cxxabi.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <span>

namespace app {
namespace {

constexpr std::size_t kMaxName = 400;  // of a function; templates have no bound of their own

// Local files only: the standard search would ask debuginfod servers.
char* no_path = nullptr;
const Dwfl_Callbacks kCallbacks{dwfl_build_id_find_elf, dwfl_build_id_find_debuginfo, dwfl_offline_section_address,
                                &no_path};

std::string readable(const char* name) {
  if (name == nullptr) return {};
  int status = 0;
  char* const plain = abi::__cxa_demangle(name, nullptr, nullptr, &status);
  std::string text = plain != nullptr ? plain : name;
  std::free(plain);
  if (text.size() > kMaxName) text.replace(kMaxName, std::string::npos, "...");
  return text;
}

std::string function_of(Dwarf_Die& die) {
  Dwarf_Attribute attribute;
  if (dwarf_attr_integrate(&die, DW_AT_linkage_name, &attribute) != nullptr)
    return readable(dwarf_formstring(&attribute));
  return readable(dwarf_diename(&die));
}

std::optional<Dwarf_Word> number_of(Dwarf_Die& die, unsigned name) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  if (dwarf_formudata(dwarf_attr(&die, name, &attribute), &value) != 0) return std::nullopt;
  return value;
}

std::string absolute(Dwarf_Die& unit, const char* file) {
  if (file == nullptr) return {};
  Dwarf_Attribute attribute;
  const char* const folder = dwarf_formstring(dwarf_attr(&unit, DW_AT_comp_dir, &attribute));
  return (std::filesystem::path(folder != nullptr ? folder : "") / file).lexically_normal().string();
}

// Of the headers that drivers are compiled against, in the tree or installed.
bool is_ours(const std::string& file) {
  return file.find("/wfp/include/") != std::string::npos || file.find("/include/wfptap/") != std::string::npos;
}

struct Position {
  std::string file;
  unsigned line = 0;
};

Position position_of(Dwarf_Die& unit, Dwarf_Addr address) {
  Dwarf_Line* const line = dwarf_getsrc_die(&unit, address);
  int number = 0;
  if (line == nullptr || dwarf_lineno(line, &number) != 0) return {};
  return {absolute(unit, dwarf_linesrc(line, nullptr, nullptr)), static_cast<unsigned>(number)};
}

// Where the function of this inlined instance was called.
Position call_of(Dwarf_Die& unit, Dwarf_Die& inlined) {
  Dwarf_Files* files = nullptr;
  std::size_t count = 0;
  const auto index = number_of(inlined, DW_AT_call_file);
  if (!index || dwarf_getsrcfiles(&unit, &files, &count) != 0 || *index >= count) return {};
  return {absolute(unit, dwarf_filesrc(files, *index, nullptr, nullptr)),
          static_cast<unsigned>(number_of(inlined, DW_AT_call_line).value_or(0))};
}

// The scopes around an address as they stand in the code, innermost first. To be freed.
std::span<Dwarf_Die> scopes_of(Dwarf_Die& unit, Dwarf_Addr address) {
  Dwarf_Die *innermost = nullptr, *all = nullptr;
  if (dwarf_getscopes(&unit, address, &innermost) <= 0) return {};
  const int count = dwarf_getscopes_die(&innermost[0], &all);
  std::free(innermost);
  return count > 0 ? std::span(all, static_cast<std::size_t>(count)) : std::span<Dwarf_Die>();
}

}  // namespace

class Resolver::Module {
 public:
  Module(const std::string& path, const struct stat& file)
      : dwfl_(dwfl_begin(&kCallbacks)), device_(file.st_dev), inode_(file.st_ino), changed_(file.st_mtim) {
    if (dwfl_ == nullptr) return;
    module_ = dwfl_report_offline(dwfl_, path.c_str(), path.c_str(), -1);
    dwfl_report_end(dwfl_, nullptr, nullptr);
    if (module_ != nullptr && dwfl_module_getelf(module_, &bias_) == nullptr) module_ = nullptr;
  }
  ~Module() { dwfl_end(dwfl_); }
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  bool is_of(const struct stat& file) const {
    return file.st_dev == device_ && file.st_ino == inode_ && file.st_mtim.tv_sec == changed_.tv_sec &&
           file.st_mtim.tv_nsec == changed_.tv_nsec;
  }

  std::vector<SourceFrame> frames_of(std::uint64_t offset) const {
    if (module_ == nullptr) return {};
    auto frames = from_debug_information(offset);
    if (frames.empty()) frames.push_back({.function = readable(dwfl_module_addrname(module_, offset + bias_))});
    return frames;
  }

 private:
  // By the index of addresses; not every compiler writes one.
  Dwarf_Die* unit_of(Dwarf_Addr address, Dwarf_Addr& bias) const {
    Dwarf_Die* unit = dwfl_module_addrdie(module_, address, &bias);
    if (unit != nullptr) return unit;
    while ((unit = dwfl_module_nextcu(module_, unit, &bias)) != nullptr)
      if (dwarf_haspc(unit, address - bias) == 1) return unit;
    return nullptr;
  }

  std::vector<SourceFrame> from_debug_information(std::uint64_t offset) const {
    Dwarf_Addr bias = 0;
    Dwarf_Die* const unit = unit_of(offset + bias_, bias);
    if (unit == nullptr) return {};
    const Dwarf_Addr address = offset + bias_ - bias;
    auto position = position_of(*unit, address);
    if (position.file.empty()) return {};
    std::vector<SourceFrame> frames;
    const auto scopes = scopes_of(*unit, address);
    for (Dwarf_Die& scope : scopes) {
      const int tag = dwarf_tag(&scope);
      const bool inlined = tag == DW_TAG_inlined_subroutine;
      if (!inlined && tag != DW_TAG_subprogram) continue;
      if (!inlined || !is_ours(position.file))
        frames.push_back(
            {.function = function_of(scope), .file = position.file, .line = position.line, .inlined = inlined});
      if (!inlined || frames.size() == kMaxInlined) break;
      position = call_of(*unit, scope);
    }
    std::free(scopes.data());
    if (frames.empty()) frames.push_back({.file = position.file, .line = position.line});
    return frames;
  }

  Dwfl* dwfl_;
  Dwfl_Module* module_ = nullptr;
  Dwarf_Addr bias_ = 0;  // from the file's addresses to libdwfl's
  dev_t device_;
  ino_t inode_;
  timespec changed_;
};

Resolver::Resolver() = default;
Resolver::~Resolver() = default;

Resolver::Module* Resolver::module_of(const std::string& image) {
  struct stat file {};
  if (stat(image.c_str(), &file) != 0) return nullptr;
  auto at = modules_.find(image);
  if (at != modules_.end() && at->second->is_of(file)) return at->second.get();
  if (at != modules_.end()) modules_.erase(at);
  if (modules_.size() == kMaxOpen) modules_.clear();
  return modules_.emplace(image, std::make_unique<Module>(image, file)).first->second.get();
}

std::vector<SourceFrame> Resolver::frames_of(const std::string& image, std::uint64_t offset) {
  Module* const module = module_of(image);
  auto frames = module != nullptr ? module->frames_of(offset) : std::vector<SourceFrame>();
  if (frames.empty()) frames.emplace_back();
  for (SourceFrame& frame : frames) {
    frame.image = image;
    frame.offset = offset;
  }
  return frames;
}

}  // namespace app
