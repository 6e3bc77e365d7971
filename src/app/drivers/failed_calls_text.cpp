#include "src/app/drivers/failed_calls_text.hpp"

#include <algorithm>

#include "src/app/drivers/status_text.hpp"

namespace app {
namespace {

std::string with_subject(const wfp::ledger::FailedCall& call) {
  return call.about.empty() ? "" : " (" + call.about + ")";
}

}  // namespace

std::string failed_calls_text(const std::vector<wfp::ledger::FailedCall>& calls, NTSTATUS status) {
  // The latest of that status: drivers clean up after it with calls that may fail, too.
  const auto cause =
      std::find_if(calls.rbegin(), calls.rend(), [&](const auto& call) { return call.status == status; });
  std::string text;
  if (cause != calls.rend()) text = ", which " + cause->routine + " had returned" + with_subject(*cause);
  std::string others;
  for (const auto& call : calls)
    if (cause == calls.rend() || &call != &*cause)
      others +=
          (others.empty() ? "" : ", ") + call.routine + " with " + status_text(call.status) + with_subject(call);
  if (!others.empty()) text += (text.empty() ? "; calls of it that failed: " : "; also failed: ") + others;
  return text;
}

}  // namespace app
