#include "src/app/services/service.hpp"

#include "src/app/services/chargen_service.hpp"
#include "src/app/services/daytime_service.hpp"
#include "src/app/services/discard_service.hpp"
#include "src/app/services/echo_service.hpp"
#include "src/app/services/http_service.hpp"
#include "src/app/services/service_names.hpp"

namespace app::services {
namespace {

constexpr std::uint64_t kFirstProcessId = 4000;
constexpr const char* kLocalService = "S-1-5-19";
constexpr char16_t kReplacement = 0xfffd;

// Length of the UTF-8 sequence that begins with `lead`, 0 when none does.
std::size_t sequence_size(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  if (lead >= 0xf0 && lead < 0xf5) return 4;
  return 0;
}

// Decodes one code point and moves `at` behind it; nothing (and one byte on) when the bytes are no UTF-8.
std::optional<char32_t> next_code_point(const std::string& text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t size = sequence_size(byte(at));
  if (size == 0 || at + size > text.size()) return ++at, std::nullopt;
  char32_t value = size == 1 ? byte(at) : byte(at) & (0x7fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return ++at, std::nullopt;
    value = value << 6 | (byte(at + i) & 0x3fu);
  }
  at += size;
  const bool overlong = (size == 3 && value < 0x800) || (size == 4 && value < 0x10000);
  if (overlong || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return std::nullopt;
  return value;
}

}  // namespace

std::u16string utf16(const std::string& utf8) {
  std::u16string text;
  for (std::size_t at = 0; at < utf8.size();) {
    const auto value = next_code_point(utf8, at).value_or(kReplacement);
    if (value < 0x10000) {
      text += static_cast<char16_t>(value);
    } else {
      text += static_cast<char16_t>(0xd800 + ((value - 0x10000) >> 10));
      text += static_cast<char16_t>(0xdc00 + ((value - 0x10000) & 0x3ff));
    }
  }
  return text;
}

std::u16string nt_path(const std::string& utf8) {
  auto path = utf16(utf8);
  for (auto& c : path)
    if (c >= u'A' && c <= u'Z') c = static_cast<char16_t>(c + (u'a' - u'A'));
  return path;
}

OwnerRef default_owner(const std::string& name) {
  stack::Owner owner;
  owner.process_id = kFirstProcessId;
  for (const auto& service : kServiceNames) {
    if (service.name == name) break;
    ++owner.process_id;
  }
  owner.process_path = nt_path("\\device\\harddiskvolume1\\wfptap\\" + name);
  owner.user_sid = kLocalService;
  return std::make_shared<const stack::Owner>(std::move(owner));
}

std::unique_ptr<Service> make_service(const std::string& name, std::uint16_t port, Network& network, OwnerRef owner) {
  if (name == "echo") return std::make_unique<EchoService>(port, network, std::move(owner));
  if (name == "discard") return std::make_unique<DiscardService>(port, network, std::move(owner));
  if (name == "chargen") return std::make_unique<ChargenService>(port, network, std::move(owner));
  if (name == "daytime") return std::make_unique<DaytimeService>(port, network, std::move(owner));
  if (name == "http") return std::make_unique<HttpService>(port, network, std::move(owner));
  return nullptr;
}

}  // namespace app::services
