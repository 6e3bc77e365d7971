#include "src/app/drivers/layout_note.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string_view>

#include "nt/layout_version.h"

namespace app {
namespace {

constexpr std::size_t kMaxNotes = 1 << 20;  // bytes of one segment of notes; a driver has some hundred
constexpr std::string_view kOwner{"wfptap\0", 7};
constexpr std::uint32_t kLayoutType = 1;

template <typename T>
std::optional<T> read_at(std::ifstream& file, std::uint64_t offset) {
  T value;
  file.clear();
  if (offset > std::uint64_t{1} << 62 || !file.seekg(static_cast<std::streamoff>(offset)) ||
      !file.read(reinterpret_cast<char*>(&value), sizeof value))
    return std::nullopt;
  return value;
}

std::string read_segment(std::ifstream& file, const Elf64_Phdr& segment) {
  std::string bytes(std::min<std::size_t>(segment.p_filesz, kMaxNotes), '\0');
  file.clear();
  if (segment.p_offset > std::uint64_t{1} << 62 || !file.seekg(static_cast<std::streamoff>(segment.p_offset)) ||
      !file.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
    return {};
  return bytes;
}

std::size_t padded(std::size_t size) { return (size + 3) / 4 * 4; }

// Notes follow each other: three words, the owner's name and the content, both padded to four bytes.
void collect(std::string_view notes, std::vector<std::uint32_t>& versions) {
  while (notes.size() >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr head;
    std::memcpy(&head, notes.data(), sizeof head);
    notes.remove_prefix(sizeof head);
    const std::size_t name_size = padded(head.n_namesz), content_size = padded(head.n_descsz);
    if (name_size > notes.size() || content_size > notes.size() - name_size) return;
    if (notes.substr(0, head.n_namesz) == kOwner && head.n_type == kLayoutType && head.n_descsz == 4) {
      std::uint32_t version;
      std::memcpy(&version, notes.data() + name_size, sizeof version);
      versions.push_back(version);
    }
    notes.remove_prefix(name_size + content_size);
  }
}

}  // namespace

std::optional<std::vector<std::uint32_t>> layout_versions(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const auto head = read_at<Elf64_Ehdr>(file, 0);
  if (!head || std::memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 || head->e_ident[EI_CLASS] != ELFCLASS64 ||
      head->e_machine != EM_X86_64 || head->e_phentsize != sizeof(Elf64_Phdr))
    return std::nullopt;
  std::vector<std::uint32_t> versions;
  for (unsigned i = 0; i < head->e_phnum; ++i) {
    const auto segment = read_at<Elf64_Phdr>(file, head->e_phoff + i * sizeof(Elf64_Phdr));
    if (!segment) return std::nullopt;
    if (segment->p_type == PT_NOTE) collect(read_segment(file, *segment), versions);
  }
  return versions;
}

std::string explain_layout(const std::string& path) {
  const auto versions = layout_versions(path);
  if (!versions) return {};
  const std::string remedy =
      "; rebuild it with the headers of this wfptap (wfp/include, installed as include/wfptap)";
  if (versions->empty())
    return "driver " + path + " does not say which layout of the Windows structures it was built against: its " +
           "headers are older than this wfptap, or others" + remedy;
  const auto other = std::ranges::find_if(*versions, [](auto v) { return v != WFPTAP_LAYOUT_VERSION; });
  if (other == versions->end()) return {};
  return "driver " + path + " was built against layout " + std::to_string(*other) +
         " of the Windows structures, and this wfptap has layout " + std::to_string(WFPTAP_LAYOUT_VERSION) + remedy;
}

}  // namespace app
