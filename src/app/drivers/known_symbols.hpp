// Functions that callout drivers of the field need, whether wfptap has them or not: so that a driver which cannot be
// loaded learns whether its missing symbol is documented and still to come, or unknown (a typing error, another
// library). Facts from the documented headers; one sorted table.
#pragma once

#include <optional>
#include <string_view>

namespace app {

struct KnownSymbol {
  std::string_view name;
  std::string_view header;  // that declares it on Windows
};

std::optional<KnownSymbol> find_known_symbol(std::string_view name);

}  // namespace app
