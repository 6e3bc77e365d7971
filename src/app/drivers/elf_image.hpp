// What a shared object on disk imports, and which of its own names the dynamic linker may bind elsewhere. Read from the
// section headers; every offset in the file is checked.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace app {

struct ElfImage {
  std::vector<std::string> imports;  // that must be found; weak ones left out
  std::vector<std::string> needed;   // libraries that it names itself
  // Defined in it, and used through a table that the linker fills by looking outside first: compiled without
  // -fvisibility=hidden and linked without -Bsymbolic or a version script.
  std::vector<std::string> interposable;
};

// Nothing: it cannot be read as a shared object of 64 bits.
std::optional<ElfImage> read_elf_image(const std::string& path);

}  // namespace app
