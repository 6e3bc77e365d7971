// A stack, told without memory and without locks: also from a signal handler, in a process that may be broken.
#include <link.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

#include "src/app/places/place_client.hpp"

namespace app {
namespace {

constexpr const char* kOwnFile = "/proc/self/exe";  // the answering process is a fork of the same program

struct OwnImage {
  std::uintptr_t base = 0, begin = std::numeric_limits<std::uintptr_t>::max(), end = 0;
};
OwnImage own;

int look_at_first(dl_phdr_info* info, std::size_t, void*) {
  own.base = info->dlpi_addr;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
    own.begin = std::min(own.begin, own.base + segment.p_vaddr);
    own.end = std::max(own.end, own.base + segment.p_vaddr + segment.p_memsz);
  }
  return 1;  // the program comes first
}

// Text in a fixed buffer; what does not fit is cut.
class Message {
 public:
  void add(std::string_view text) {
    const auto count = std::min(text.size(), text_.size() - size_);
    std::memcpy(text_.data() + size_, text.data(), count);
    size_ += count;
  }
  void add_line(std::string_view mark, std::uintptr_t offset, std::string_view path) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::array<char, 2 * sizeof offset> digits;
    for (std::size_t i = digits.size(); i-- > 0; offset >>= 4) digits[i] = kDigits[offset & 15];
    add("\n");
    add(mark);
    add({digits.data(), digits.size()});
    add(" ");
    add(path);
  }
  bool send_to(int fd) const { return send(fd, text_.data(), size_, MSG_NOSIGNAL) >= 0; }

 private:
  std::array<char, kMaxPlaceMessage / 2> text_;
  std::size_t size_ = 0;
};

void add_frame(Message& message, const void* instruction) {
  if (const auto place = wfp::ledger::place_of(instruction)) return message.add_line("", place.offset, place.image);
  const auto address = reinterpret_cast<std::uintptr_t>(instruction);
  if (address >= own.begin && address < own.end) message.add_line({&kOwnFrame, 1}, address - own.base, kOwnFile);
}

}  // namespace

void find_own_image() { dl_iterate_phdr(look_at_first, nullptr); }

bool send_stack(int fd, char which, void* const* addresses, int count, const void* instruction) noexcept {
  if (fd < 0) return false;
  Message message;
  message.add({&kTellStack, 1});
  message.add({&which, 1});
  const auto* const end = addresses + count;
  const auto* at = std::find(addresses, end, instruction);
  if (at == end)
    at = addresses;  // there is none
  else
    add_frame(message, *at++);
  for (; at != end; ++at)
    if (*at != nullptr)
      add_frame(message, static_cast<const char*>(*at) - 1);  // a call ends before its return address
  return message.send_to(fd);
}

}  // namespace app
