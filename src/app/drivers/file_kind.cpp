#include "src/app/drivers/file_kind.hpp"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

namespace app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLooked = 4096;  // bytes from the beginning: headers of all kinds
constexpr const char* kCompile =
    "compile it to a shared object first, as README.md says under 'Your own driver': cc -shared -fPIC ... -o NAME.so";

template <typename T>
T at(std::string_view bytes, std::size_t offset) {
  T value{};
  if (offset <= bytes.size() && sizeof value <= bytes.size() - offset)
    std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

std::string machine_name(unsigned machine) {
  constexpr std::array<std::pair<unsigned, const char*>, 6> kNames{{{EM_386, "x86 (32 bits)"},
                                                                    {EM_X86_64, "x86-64"},
                                                                    {EM_AARCH64, "ARM64"},
                                                                    {EM_ARM, "ARM (32 bits)"},
                                                                    {EM_RISCV, "RISC-V"},
                                                                    {EM_PPC64, "POWER"}}};
  for (const auto& [number, name] : kNames)
    if (number == machine) return name;
  return "machine " + std::to_string(machine);
}

// Up to where its headers say that it goes.
std::uint64_t size_of_elf(std::string_view bytes) {
  const auto head = at<Elf64_Ehdr>(bytes, 0);
  std::uint64_t size = head.e_shoff + std::uint64_t{head.e_shnum} * head.e_shentsize;
  for (unsigned i = 0; i < head.e_phnum; ++i) {
    const auto segment = at<Elf64_Phdr>(bytes, head.e_phoff + i * sizeof(Elf64_Phdr));
    if (segment.p_type == PT_LOAD) size = std::max(size, segment.p_offset + segment.p_filesz);
  }
  return size;
}

bool has_interpreter(std::string_view bytes) {
  const auto head = at<Elf64_Ehdr>(bytes, 0);
  for (unsigned i = 0; i < head.e_phnum; ++i)
    if (at<Elf64_Phdr>(bytes, head.e_phoff + i * sizeof(Elf64_Phdr)).p_type == PT_INTERP) return true;
  return false;
}

std::string elf_kind(std::string_view bytes, std::uint64_t size) {
  const auto head = at<Elf64_Ehdr>(bytes, 0);
  if (bytes.size() < sizeof head) return "is cut short: not even its ELF header is whole; build or copy it again";
  if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_ident[EI_DATA] != ELFDATA2LSB || head.e_machine != EM_X86_64)
    return "was built for " + machine_name(head.e_machine) +
           ", and wfptap runs drivers for x86-64; build it for that";
  if (head.e_type == ET_REL)
    return "is an object file that is not linked yet; link it: cc -shared -Wl,-Bsymbolic FILE.o -o NAME.so";
  if (const auto whole = size_of_elf(bytes); whole > size)
    return "is cut short: its headers speak of " + std::to_string(whole) + " bytes, and it has " +
           std::to_string(size) + "; build or copy it again";
  if (head.e_type != ET_DYN || has_interpreter(bytes))
    return "is a program; build it with -shared to make a driver of it";
  return {};
}

std::string windows_kind(std::string_view bytes) {
  const auto header = at<std::uint32_t>(bytes, 0x3c);
  if (bytes.substr(std::min<std::size_t>(header, bytes.size()), 4) != std::string_view("PE\0\0", 4))
    return "is a program for DOS";
  const auto machine = at<std::uint16_t>(bytes, header + 4);
  const char* const name = machine == 0x8664   ? "x64"
                           : machine == 0xaa64 ? "ARM64"
                           : machine == 0x14c  ? "x86"
                                               : "Windows";
  return "is a file compiled for Windows (PE, " + std::string(name) +
         "), and wfptap runs drivers from their C or C++ source so far: " + kCompile;
}

bool is_text(std::string_view bytes) {
  return std::ranges::none_of(bytes, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f';
  });
}

bool is_source(const fs::path& path) {
  constexpr std::array<std::string_view, 7> kEndings{".c", ".cc", ".cpp", ".cxx", ".h", ".hpp", ".C"};
  return std::ranges::find(kEndings, path.extension().string()) != kEndings.end();
}

std::string kind_of(const fs::path& path, std::string_view bytes, std::uint64_t size) {
  if (bytes.empty()) return "is empty; build it again";
  if (bytes.starts_with(ELFMAG)) return elf_kind(bytes, size);
  if (bytes.starts_with("MZ")) return windows_kind(bytes);
  if (bytes.starts_with("!<arch>\n")) return "is a library of object files; link them with cc -shared";
  if (at<std::uint16_t>(bytes, 0) == 0x8664 && !is_text(bytes))
    return "is an object file of the Windows compiler; " + std::string(kCompile);
  if (is_text(bytes) && is_source(path)) return "is source; " + std::string(kCompile);
  if (is_text(bytes)) return "is a text file and no shared object; give the .so that the compiler made";
  return "is no shared object: it does not begin with an ELF header";
}

}  // namespace

std::string explain_file_kind(const std::string& path) {
  std::error_code failed;
  const auto status = fs::status(path, failed);
  if (!fs::exists(status)) return {};
  const std::string who = "driver " + path + " ";
  if (fs::is_directory(status)) return who + "is a folder; give the path of the shared object in it";
  if (!fs::is_regular_file(status)) return who + "is no ordinary file; give the path of a shared object";
  std::ifstream file(path, std::ios::binary);
  if (!file) return who + "cannot be opened: " + std::strerror(errno);
  std::string bytes(kLooked, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  const auto kind = kind_of(path, bytes, fs::file_size(path, failed));
  return kind.empty() ? std::string() : who + kind;
}

}  // namespace app
