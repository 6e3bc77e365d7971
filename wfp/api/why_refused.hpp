// Why a management call failed, about which key or field, in words. Looks again at what the call was given, after the
// fact, so that the calls themselves stay as short as they are. PASSIVE_LEVEL.
#pragma once

#include <string>

#include "fwpmk.h"

namespace wfp::api {

std::string why_refused(const FWPM_PROVIDER0& provider, NTSTATUS status);
std::string why_refused(const FWPM_SUBLAYER0& sublayer, NTSTATUS status);
std::string why_refused(const FWPM_CALLOUT0& callout, NTSTATUS status);
std::string why_refused(const FWPM_FILTER0& filter, NTSTATUS status);

}  // namespace wfp::api
