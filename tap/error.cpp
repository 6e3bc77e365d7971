#include "tap/error.hpp"

#include <system_error>

namespace tap {

Error make_error(int code, std::string_view action, std::string_view advice) {
  std::string what{action};
  what += ": ";
  what += std::generic_category().message(code);
  if (!advice.empty()) {
    what += " (";
    what += advice;
    what += ")";
  }
  return {code, std::move(what)};
}

}  // namespace tap
