#include "src/app/drivers/known_symbols.hpp"

#include <algorithm>
#include <iterator>

namespace app {
namespace {

constexpr KnownSymbol kKnown[] = {
#include "src/app/drivers/known_symbols.inc"
};
static_assert(std::ranges::is_sorted(kKnown, {}, &KnownSymbol::name));

}  // namespace

std::optional<KnownSymbol> find_known_symbol(std::string_view name) {
  const auto* const at = std::ranges::lower_bound(kKnown, name, {}, &KnownSymbol::name);
  if (at == std::end(kKnown) || at->name != name) return std::nullopt;
  return *at;
}

}  // namespace app
