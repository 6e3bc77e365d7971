#include "src/app/drivers/elf_image.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <string_view>

namespace app {
namespace {

constexpr std::uint64_t kMaxFile = 1u << 28;  // bytes; drivers with their debug information have some million

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto size = file.tellg();
  if (!file || size <= 0 || static_cast<std::uint64_t>(size) > kMaxFile) return {};
  std::string bytes(static_cast<std::size_t>(size), '\0');
  file.seekg(0);
  file.read(bytes.data(), size);
  return file ? bytes : std::string();
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  std::string_view range(std::uint64_t offset, std::uint64_t size) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset) return {};
    return bytes_.substr(offset, size);
  }
  template <typename T>
  std::vector<T> table(std::string_view from) const {
    std::vector<T> entries(from.size() / sizeof(T));
    if (!entries.empty()) std::memcpy(entries.data(), from.data(), entries.size() * sizeof(T));
    return entries;
  }
  std::vector<Elf64_Shdr> sections() const {
    const auto head = table<Elf64_Ehdr>(range(0, sizeof(Elf64_Ehdr)));
    if (head.empty() || std::memcmp(head[0].e_ident, ELFMAG, SELFMAG) != 0 ||
        head[0].e_ident[EI_CLASS] != ELFCLASS64 || head[0].e_shentsize != sizeof(Elf64_Shdr))
      return {};
    return table<Elf64_Shdr>(range(head[0].e_shoff, std::uint64_t{head[0].e_shnum} * sizeof(Elf64_Shdr)));
  }
  std::string_view content(const Elf64_Shdr& section) const { return range(section.sh_offset, section.sh_size); }

 private:
  std::string_view bytes_;
};

std::string text_at(std::string_view strings, std::uint64_t offset) {
  if (offset >= strings.size()) return {};
  const auto rest = strings.substr(offset);
  return std::string(rest.substr(0, rest.find('\0')));
}

std::uint8_t binding(const Elf64_Sym& symbol) { return static_cast<std::uint8_t>(ELF64_ST_BIND(symbol.st_info)); }

// The symbols of relocations whose value the linker looks up by name.
std::set<std::uint64_t> symbols_looked_up(const Reader& reader, const std::vector<Elf64_Shdr>& sections) {
  std::set<std::uint64_t> indexes;
  for (const auto& section : sections) {
    if (section.sh_type != SHT_RELA) continue;
    for (const auto& relocation : reader.table<Elf64_Rela>(reader.content(section)))
      indexes.insert(ELF64_R_SYM(relocation.r_info));
  }
  return indexes;
}

struct Dynamic {
  std::vector<std::string> needed;
  bool is_symbolic = false;
};

Dynamic dynamic_of(const Reader& reader, const std::vector<Elf64_Shdr>& sections) {
  Dynamic result;
  for (const auto& section : sections) {
    if (section.sh_type != SHT_DYNAMIC || section.sh_link >= sections.size()) continue;
    const auto strings = reader.content(sections[section.sh_link]);
    for (const auto& entry : reader.table<Elf64_Dyn>(reader.content(section))) {
      if (entry.d_tag == DT_NEEDED) result.needed.push_back(text_at(strings, entry.d_un.d_val));
      result.is_symbolic |=
          entry.d_tag == DT_SYMBOLIC || (entry.d_tag == DT_FLAGS && (entry.d_un.d_val & DF_SYMBOLIC));
    }
  }
  return result;
}

}  // namespace

std::optional<ElfImage> read_elf_image(const std::string& path) {
  const std::string bytes = read_file(path);
  const Reader reader{bytes};
  const auto sections = reader.sections();
  const auto symbols = std::ranges::find(sections, Elf64_Word{SHT_DYNSYM}, &Elf64_Shdr::sh_type);
  if (symbols == sections.end() || symbols->sh_link >= sections.size()) return std::nullopt;
  auto dynamic = dynamic_of(reader, sections);
  const auto looked_up = symbols_looked_up(reader, sections);
  const auto strings = reader.content(sections[symbols->sh_link]);

  ElfImage image;
  image.needed = std::move(dynamic.needed);
  const auto table = reader.table<Elf64_Sym>(reader.content(*symbols));
  for (std::size_t i = 1; i < table.size(); ++i) {
    // A weak definition is one of several by intention (inline functions, templates of C++), and may be shared.
    if (binding(table[i]) != STB_GLOBAL) continue;
    if (table[i].st_shndx == SHN_UNDEF)
      image.imports.push_back(text_at(strings, table[i].st_name));
    else if (!dynamic.is_symbolic && looked_up.contains(i) && ELF64_ST_VISIBILITY(table[i].st_other) == STV_DEFAULT)
      image.interposable.push_back(text_at(strings, table[i].st_name));
  }
  std::ranges::sort(image.imports);
  std::ranges::sort(image.interposable);
  return image;
}

}  // namespace app
