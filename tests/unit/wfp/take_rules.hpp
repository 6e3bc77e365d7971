// What the verifier has reported since the last look, for a test to compare with what it expects: looking empties it.
#pragma once

#include <string>
#include <vector>

#include "wfp/ledger/violation.hpp"

namespace wfp::ledger {

inline std::vector<std::string> take_rules() {
  std::vector<std::string> rules;
  for (const auto& violation : violations()) rules.push_back(violation.rule);
  clear_violations();
  return rules;
}

// Each as "RULE: message".
inline std::vector<std::string> take_messages() {
  std::vector<std::string> messages;
  for (const auto& violation : violations()) messages.push_back(violation.rule + ": " + violation.message);
  clear_violations();
  return messages;
}

}  // namespace wfp::ledger
